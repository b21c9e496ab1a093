SET ROLE @owner@;
CREATE TABLE newer_table (id int); CREATE RULE newer_rule AS ON INSERT TO newer_table DO ALSO INSERT INTO a VALUES (2);
