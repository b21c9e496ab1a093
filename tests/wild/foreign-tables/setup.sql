CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1', dbname 'nowhere');
CREATE USER MAPPING FOR @app@ SERVER far OPTIONS ("user" 'guest', password 'it''s');
CREATE FOREIGN TABLE away (id int, word text) SERVER far OPTIONS (table_name 'there');
CREATE TABLE t AS SELECT 1 AS id;
