CREATE EXTENSION lg_pair;
INSERT INTO lg_parent SELECT g, repeat(md5(g::text), 30) FROM generate_series(1, 30000) g;
INSERT INTO lg_child SELECT g, 30000 - g FROM generate_series(1, 400) g;
