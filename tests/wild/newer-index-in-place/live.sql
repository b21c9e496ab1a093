SET ROLE @owner@;
CREATE TABLE newer_table (id int); CREATE INDEX newer_index ON newer_table (twice(id));
