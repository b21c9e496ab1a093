SET ROLE @owner@;
UPDATE t SET id = 2;
CREATE TABLE way_back AS SELECT count(*) FROM logs;
