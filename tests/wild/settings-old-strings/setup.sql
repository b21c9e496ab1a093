SET standard_conforming_strings = on; SET client_encoding = 'UTF8'; SET array_nulls = on; SET search_path = public;
SET ROLE @owner@;
CREATE TABLE t (id int, word text, list text[], CHECK (word <> '\x'));
INSERT INTO t VALUES (1, 'back\slash ü', '{NULL,"NULL",a}'), (2, '''', NULL);
