SET ROLE @owner@;
CREATE FUNCTION is_odd(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 1';
CREATE FUNCTION is_fine(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN is_odd($1); END';
CREATE TABLE t (id int CHECK (is_fine(id)));
INSERT INTO t SELECT g FROM generate_series(1, 99, 2) g;
