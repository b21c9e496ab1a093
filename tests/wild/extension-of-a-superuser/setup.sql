CREATE EXTENSION citext;
CREATE EXTENSION pg_stat_statements;
SET ROLE @owner@;
CREATE TABLE t (id int, e citext);
INSERT INTO t VALUES (1, 'A');
