SET ROLE @owner@;
CREATE FUNCTION newer_function(int) RETURNS int LANGUAGE sql RETURN twice(twice($1));
