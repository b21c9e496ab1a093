SET ROLE @owner@;
SET default_text_search_config = 'pg_catalog.german';
SET intervalstyle = 'iso_8601'; SET bytea_output = 'escape'; SET extra_float_digits = -10;
CREATE TABLE pages (page text, took interval, raw bytea, size float8);
INSERT INTO pages VALUES ('Die Häuser der Bäume', '1 day 02:03:04', '\x00ff41', 1.0 / 3), ('Läufer', '-1 mon', '\x5c', pi());
CREATE MATERIALIZED VIEW words AS SELECT to_tsvector(page) AS words, took::text AS took, raw::text AS raw, size::text AS size FROM pages;
