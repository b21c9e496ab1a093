SET ROLE @owner@;
CREATE TABLE newer_table (id int CHECK (twice(id) > 0));
