CREATE TABLE lg_parent (id int PRIMARY KEY, filler text);
CREATE TABLE lg_child (id int, parent int REFERENCES lg_parent);
SELECT pg_catalog.pg_extension_config_dump('lg_parent', '');
SELECT pg_catalog.pg_extension_config_dump('lg_child', '');
