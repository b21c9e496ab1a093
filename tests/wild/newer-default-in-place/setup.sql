SET ROLE @owner@;
CREATE SEQUENCE numbers;
