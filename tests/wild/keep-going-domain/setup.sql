SET ROLE @owner@;
CREATE TABLE codes (code text PRIMARY KEY); INSERT INTO codes VALUES ('a'), ('b');
CREATE FUNCTION is_code(text) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM public.codes WHERE code = $1)';
CREATE DOMAIN code AS text CONSTRAINT known CHECK (public.is_code(VALUE)) CONSTRAINT short CHECK (length(VALUE) < 9);
COMMENT ON CONSTRAINT known ON DOMAIN code IS 'in the list';
CREATE TABLE uses (code code); INSERT INTO uses VALUES ('a'), ('b');
DELETE FROM codes WHERE code = 'b';
