SET ROLE @owner@;
CREATE TABLE a_codes (code text PRIMARY KEY, filler text);
CREATE FUNCTION is_code(text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM public.a_codes WHERE code = $1)';
CREATE DOMAIN code AS text CHECK (is_code(VALUE));
CREATE TABLE b_uses (id int, code code);
INSERT INTO a_codes SELECT 'c' || g, repeat(md5(g::text), 30) FROM generate_series(1, 30000) g;
INSERT INTO b_uses SELECT g, 'c' || (30001 - g) FROM generate_series(1, 400) g;
