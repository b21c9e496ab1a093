CREATE FUNCTION old_levenshtein(text, text) RETURNS int LANGUAGE c IMMUTABLE STRICT AS '$libdir/fuzzystrmatch', 'levenshtein';
SET ROLE @owner@;
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);
