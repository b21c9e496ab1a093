SET ROLE @owner@;
CREATE EXTENSION lg_plain;
CREATE FUNCTION wrapped(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN public.lg_plain($1); END';
CREATE TABLE t (word text);
INSERT INTO t SELECT 'Word ' || g FROM generate_series(1, 50) g;
CREATE INDEX ON t (wrapped(word));
-- After the index: PostgreSQL 17 builds one with a search_path of its own.
CREATE OR REPLACE FUNCTION wrapped(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lg_plain($1); END';
