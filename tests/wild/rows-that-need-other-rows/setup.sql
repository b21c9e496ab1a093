SET ROLE @owner@;
CREATE TABLE a_parents (id int PRIMARY KEY, filler text);
CREATE FUNCTION has_parent(int) RETURNS boolean LANGUAGE sql STABLE
    AS 'SELECT EXISTS (SELECT FROM public.a_parents WHERE id = $1)';
CREATE TABLE b_children (id int, parent int CHECK (has_parent(parent)));
INSERT INTO a_parents SELECT g, repeat(md5(g::text), 30) FROM generate_series(1, 30000) g;
INSERT INTO b_children SELECT g, 30000 - g FROM generate_series(1, 400) g;
