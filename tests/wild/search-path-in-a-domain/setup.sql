SET ROLE @owner@;
CREATE TABLE a_codes (code text PRIMARY KEY); INSERT INTO a_codes VALUES ('a'), ('b');
CREATE FUNCTION is_code(text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM a_codes WHERE code = $1)';
CREATE DOMAIN code AS text CHECK (is_code(VALUE));
CREATE TABLE b_uses (code code); INSERT INTO b_uses VALUES ('a'), ('b');
