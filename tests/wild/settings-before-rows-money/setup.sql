SET ROLE @owner@;
CREATE TABLE prices (id int PRIMARY KEY, price money);
INSERT INTO prices VALUES (1, 12.34::numeric::money), (2, 1234::numeric::money), (3, (-5)::numeric::money);
