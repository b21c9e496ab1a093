SET ROLE @owner@;
CREATE TABLE t (id int PRIMARY KEY, n int);
INSERT INTO t SELECT g, g FROM generate_series(1, 10) g;
RESET ROLE;
CREATE PUBLICATION filtered FOR TABLE t (id) WHERE (id > 3);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA public;
