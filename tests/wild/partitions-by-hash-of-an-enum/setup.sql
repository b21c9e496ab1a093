SET ROLE @owner@;
CREATE TYPE color AS ENUM ('red', 'green', 'blue', 'cyan', 'magenta', 'yellow', 'black', 'white');
CREATE TABLE stock (id int, c color) PARTITION BY HASH (c);
CREATE TABLE stock_0 PARTITION OF stock FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE stock_1 PARTITION OF stock FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE stock_2 PARTITION OF stock FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO stock SELECT n, v.c FROM unnest(enum_range(NULL::color)) WITH ORDINALITY v(c, o), generate_series(1, (3 ^ o)::int) n;
