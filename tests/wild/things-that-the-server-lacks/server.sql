CREATE TABLESPACE @db@_fast LOCATION '@folder@';
GRANT CREATE ON TABLESPACE @db@_fast TO @owner@, @admin@;
