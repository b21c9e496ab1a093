SET ROLE @owner@;
CREATE TABLE prices (id int PRIMARY KEY, price money, at timestamptz);
INSERT INTO prices VALUES (1, 12.34::numeric::money, '2026-01-02 03:04:05+00'), (2, 1234::numeric::money, 'infinity');
