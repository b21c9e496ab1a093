SET ROLE @owner@;
CREATE TABLE t (a int, b text, c int); INSERT INTO t VALUES (1, 'x', 2); ALTER TABLE t DROP COLUMN b, ADD COLUMN d int NOT NULL DEFAULT 7, ALTER a TYPE bigint;
CREATE TABLE child (e text) INHERITS (t); INSERT INTO child VALUES (2, 3, 4, 'e');
CREATE TABLE parts (k int, v text) PARTITION BY LIST (k);
CREATE TABLE part_other_order (v text, gone int, k int); ALTER TABLE part_other_order DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION part_other_order FOR VALUES IN (1, 2); INSERT INTO parts VALUES (1, 'one'), (2, 'two');
CREATE TYPE pair AS (a int, b int); ALTER TYPE pair DROP ATTRIBUTE b, ADD ATTRIBUTE c text;
CREATE TABLE pairs (p pair); INSERT INTO pairs VALUES ((1, 'x'));
