SET ROLE @owner@;
CREATE TABLE newer_table (id int); CREATE POLICY newer_policy ON newer_table USING (twice(id) > 1);
