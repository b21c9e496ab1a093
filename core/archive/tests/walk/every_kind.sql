-- A small database with every kind of object and value that an archive can trip over.
CREATE SCHEMA "Straße/1 ""quoted""";
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine');
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);

CREATE TABLE every_type (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    small smallint DEFAULT 7,
    doubled integer GENERATED ALWAYS AS (7 * 2) STORED,
    mood mood,
    share percent,
    tags text[],
    document jsonb,
    raw bytea,
    word text
);
INSERT INTO every_type (mood, share, tags, document, raw, word) VALUES
    ('sad', 0, '{a,"b c",NULL}', '{"k": [1, null, "\u00e9"]}', '\x00ff5c2e0a', E'tab\there'),
    ('ok', 100, '{}', NULL, '', E'line\nbreak\r\nand\\backslash'),
    (NULL, NULL, NULL, 'null', NULL, ''),
    ('it''s fine', 50, '{"\\.","\n"}', '"\\."', '\x5c2e', E'\\.'),
    ('ok', 1, NULL, NULL, NULL, E'\b\f\x0b\x01 café 日本語 \U0001F418');

-- Rows that look like the terminator, or begin like it.
CREATE TABLE terminators (line text);
INSERT INTO terminators VALUES (E'\\.'), ('.'), (''), (NULL), (E'\\'), (E'\\.\n\\.'), (E'\\N'), (E'\n');

CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;

CREATE TABLE empty_table (id bigint, word text);
CREATE UNLOGGED TABLE unlogged_table AS SELECT 1 AS one;

CREATE TABLE measured (at date NOT NULL, value numeric) PARTITION BY RANGE (at);
CREATE TABLE measured_2025 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measured_2026 PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE measured_rest PARTITION OF measured DEFAULT;
INSERT INTO measured SELECT date '2025-11-01' + n, n * 1.25 FROM generate_series(1, 80) AS n;

CREATE TABLE "Straße/1 ""quoted"""."a table; with 'every' sign\/ ☃" ("co l" text, "c""2" text);
INSERT INTO "Straße/1 ""quoted"""."a table; with 'every' sign\/ ☃" VALUES ('a', 'b'), ('ü', NULL);
CREATE TABLE "new
line" (id integer);
INSERT INTO "new
line" VALUES (1);

CREATE TABLE wide_rows (id integer, filler text);
INSERT INTO wide_rows SELECT n, repeat(md5(n::text), 40) FROM generate_series(1, 4) AS n;

CREATE SEQUENCE odd_sequence INCREMENT BY -3 MINVALUE -1000 MAXVALUE 5 START 5 CYCLE;
SELECT nextval('odd_sequence'), nextval('odd_sequence');

CREATE VIEW moods AS SELECT mood, count(*) FROM every_type GROUP BY mood;
CREATE MATERIALIZED VIEW measured_days AS SELECT count(*) FROM measured;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON every_type FOR EACH ROW EXECUTE FUNCTION touch();
CREATE INDEX ON wide_rows (md5(filler));
COMMENT ON TABLE every_type IS 'with a comment';

SELECT lo_from_bytea(4000000000, decode('00ff0a5c2e0a', 'hex')), lo_from_bytea(70001, ''), lo_from_bytea(70002, convert_to(repeat('large object ', 300), 'UTF8'));
COMMENT ON LARGE OBJECT 70001 IS 'an empty one';
GRANT SELECT ON LARGE OBJECT 70002 TO PUBLIC;
