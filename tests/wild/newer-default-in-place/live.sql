SET ROLE @owner@;
CREATE TABLE newer_table (id int DEFAULT nextval('numbers'));
