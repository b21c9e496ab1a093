SET ROLE @owner@;
CREATE TABLE newer_table (s state, d small);
