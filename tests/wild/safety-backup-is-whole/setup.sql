SET ROLE @owner@;
CREATE TABLE t AS SELECT 1 AS id;
CREATE TABLE logs AS SELECT generate_series(1, 1000) AS n;
