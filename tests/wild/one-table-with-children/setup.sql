SET ROLE @owner@;
CREATE TABLE parent (id int);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE other AS SELECT 1 AS id;
INSERT INTO parent VALUES (1);
INSERT INTO child SELECT g, 'x' FROM generate_series(1, 100) g;
