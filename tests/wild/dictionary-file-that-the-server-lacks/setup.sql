SET ROLE @owner@;
CREATE TEXT SEARCH DICTIONARY short (TEMPLATE = pg_catalog.synonym, SYNONYMS = lg_words);
CREATE TEXT SEARCH CONFIGURATION own (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION own ALTER MAPPING FOR asciiword WITH short, simple;
CREATE TABLE t AS SELECT to_tsvector('public.own', 'postgres is fast') AS words;
