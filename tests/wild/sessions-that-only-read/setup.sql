SET ROLE @owner@;
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, g FROM generate_series(1, 100) g;
