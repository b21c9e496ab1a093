CREATE TABLE newer_table (id int);
UPDATE t SET id = 2;
