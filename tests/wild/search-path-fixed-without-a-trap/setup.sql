SET ROLE @owner@;
CREATE TABLE codes (code text PRIMARY KEY); INSERT INTO codes VALUES ('a'), ('b');
CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';
CREATE FUNCTION odd(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 1';
-- A path of its own, also for what it calls.
CREATE FUNCTION with_path(text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = public AS 'BEGIN RETURN plain($1); END';
CREATE FUNCTION without_path(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain($1); END';
CREATE FUNCTION calls(text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = public AS 'BEGIN RETURN public.without_path($1); END';
CREATE FUNCTION sets_it(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM set_config(''search_path'', ''public'', true); RETURN plain($1); END';
-- Names that mean something else: of the query itself, of columns, in texts and comments.
CREATE FUNCTION of_query(text) RETURNS text LANGUAGE sql IMMUTABLE AS
    'WITH codes AS (SELECT $1 AS code), plain(code) AS MATERIALIZED (SELECT code FROM codes) SELECT max(code) FROM plain';
CREATE FUNCTION of_texts(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE codes text := 'SELECT plain(code) FROM codes'; -- plain(codes)
    BEGIN /* FROM codes */ RETURN extract(day FROM date '2026-01-02')::text || codes || $1; END $$;
CREATE FUNCTION standard(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN plain($1);
-- A trap that nothing evaluates.
CREATE FUNCTION trap(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN odd($1); END';
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO codes VALUES (NEW.id); RETURN NEW; END';
CREATE PROCEDURE "Odd, one"(INOUT a int, b text DEFAULT 'x') LANGUAGE plpgsql SET work_mem = '1MB' AS 'BEGIN a := 1; END';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int);
CREATE FUNCTION key() RETURNS text LANGUAGE sql AS 'SELECT max(code) FROM codes';
CREATE TABLE empty (id int CHECK (trap(id)), low int);
CREATE INDEX ON empty (trap(low)) WHERE trap(low);
CREATE VIEW trapped AS SELECT id FROM empty WHERE trap(id);
CREATE TABLE t (id int DEFAULT length(key()), word text DEFAULT key(), low text GENERATED ALWAYS AS (with_path(word)) STORED,
    CHECK (sets_it(word) = calls(word)), CHECK (of_texts(word) <> ''));
INSERT INTO t SELECT g, 'Word ' || g FROM generate_series(1, 50) g;
CREATE TRIGGER trap BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION trap();
CREATE INDEX ON t (with_path(word)) WHERE of_query(word) IS NOT NULL;
CREATE INDEX ON t (standard(word));
CREATE STATISTICS s ON (trap(id)), low FROM t;
CREATE MATERIALIZED VIEW filled AS SELECT of_query(word) AS word FROM t;
CREATE MATERIALIZED VIEW unfilled AS SELECT key() AS key, id FROM t WHERE trap(id) WITH NO DATA;
