SET ROLE @owner@;
CREATE TABLE limits (most int); INSERT INTO limits VALUES (100);
CREATE FUNCTION is_small(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 <= (SELECT most FROM public.limits)';
CREATE TABLE t (id int, CONSTRAINT asks CHECK (public.is_small(id)), CONSTRAINT positive CHECK (id > 0));
INSERT INTO t VALUES (1), (70);
UPDATE limits SET most = 50;
