SET ROLE @owner@;
CREATE TABLE t AS SELECT generate_series(1, 20) AS id;
