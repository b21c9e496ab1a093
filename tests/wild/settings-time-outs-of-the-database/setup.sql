SET statement_timeout = 0;
CREATE TABLE big AS SELECT generate_series(1, 1200000) AS id;
ALTER TABLE big OWNER TO @owner@;
