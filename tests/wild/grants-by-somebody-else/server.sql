CREATE ROLE @db@_second;
