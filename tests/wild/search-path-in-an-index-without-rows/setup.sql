SET ROLE @owner@;
CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE FUNCTION wrapped(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT public.plain($1)';
CREATE TABLE t (word text);
CREATE INDEX ON t (wrapped(word));
-- After the index: PostgreSQL 17 builds one with a search_path of its own.
CREATE OR REPLACE FUNCTION wrapped(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain($1)';
