SET ROLE @owner@;
CREATE TABLE z (id int); INSERT INTO z VALUES (1);
CREATE FUNCTION z_is_filled() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN EXISTS (SELECT FROM public.z); END';
CREATE TABLE t (id int CONSTRAINT after_z CHECK (public.z_is_filled()), other int CHECK (other > 0)); INSERT INTO t VALUES (1, 1);
COMMENT ON CONSTRAINT after_z ON t IS 'after z';
