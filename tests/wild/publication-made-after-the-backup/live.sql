SET ROLE @owner@;
CREATE PUBLICATION newer_publication FOR TABLE a;
