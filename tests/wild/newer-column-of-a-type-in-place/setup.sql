SET ROLE @owner@;
CREATE TYPE state AS ENUM ('a', 'b'); CREATE DOMAIN small AS int CHECK (VALUE < 9);
