SET ROLE @owner@;
CREATE TABLE t (id int PRIMARY KEY, word text);
INSERT INTO t SELECT g, 'word ' || g FROM generate_series(1, 200) g;
