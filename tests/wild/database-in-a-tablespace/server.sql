CREATE TABLESPACE @db@_disk LOCATION '@folder@';
GRANT CREATE ON TABLESPACE @db@_disk TO @owner@, @admin@;
ALTER DATABASE @db@ SET TABLESPACE @db@_disk;
