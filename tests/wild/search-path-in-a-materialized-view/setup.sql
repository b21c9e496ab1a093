SET ROLE @owner@;
CREATE TABLE rates (rate int);
INSERT INTO rates VALUES (3);
CREATE FUNCTION rate() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT max(r.rate) FROM public.rates r); END';
CREATE MATERIALIZED VIEW priced AS SELECT g AS id, g * rate() AS price FROM generate_series(1, 10) g;
-- After the view: PostgreSQL 17 fills one with a search_path of its own.
CREATE OR REPLACE FUNCTION rate() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT max(r.rate) FROM rates r); END';
