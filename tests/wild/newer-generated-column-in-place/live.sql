SET ROLE @owner@;
CREATE TABLE newer_table (id int, d int GENERATED ALWAYS AS (twice(id)) STORED);
