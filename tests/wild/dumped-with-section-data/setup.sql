CREATE SCHEMA app AUTHORIZATION @owner@;
SET ROLE @owner@;
CREATE TABLE app.t AS SELECT generate_series(1, 10) AS id;
