SET ROLE @owner@;
CREATE FUNCTION low(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 - 1';
CREATE FUNCTION span(int) RETURNS int4range LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN int4range(public.low($1), $1); END';
CREATE TABLE t (at int, EXCLUDE USING gist (span(at) WITH &&));
INSERT INTO t SELECT g FROM generate_series(1, 20) g;
-- After the constraint: PostgreSQL 17 builds its index with a search_path of its own.
CREATE OR REPLACE FUNCTION span(int) RETURNS int4range LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN int4range(low($1), $1); END';
