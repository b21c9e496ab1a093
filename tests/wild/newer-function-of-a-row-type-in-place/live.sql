SET ROLE @owner@;
CREATE FUNCTION newer_function(a) RETURNS int LANGUAGE sql AS 'SELECT 1';
