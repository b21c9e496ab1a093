SET ROLE @owner@;
CREATE TABLE a (id int PRIMARY KEY, t text);
INSERT INTO a SELECT g, repeat(md5(g::text), 25) FROM generate_series(1, 2000) g;
CREATE TABLE b AS SELECT * FROM a;
CREATE TABLE c AS SELECT * FROM a;
SELECT lo_from_bytea(5000 + g, decode(repeat('ab', 100000), 'hex')) FROM generate_series(1, 5) g;
COMMENT ON LARGE OBJECT 5001 IS 'the first';
GRANT SELECT ON LARGE OBJECT 5002 TO @reader@;
SELECT lo_create(5999);
