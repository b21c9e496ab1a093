SET ROLE @owner@;
CREATE TYPE color AS ENUM ('red', 'green', 'blue', 'cyan', 'magenta', 'yellow', 'black', 'white');
CREATE TABLE stock (id int, c color, y int) PARTITION BY LIST (y);
CREATE TABLE stock_1 PARTITION OF stock FOR VALUES IN (1) PARTITION BY HASH (c);
CREATE TABLE stock_1_0 PARTITION OF stock_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE stock_1_1 PARTITION OF stock_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE stock_default PARTITION OF stock DEFAULT;
INSERT INTO stock SELECT g, v.c, g % 3 FROM unnest(enum_range(NULL::color)) WITH ORDINALITY v(c, o), generate_series(1, (2 ^ o)::int) g;
