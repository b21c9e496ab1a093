CREATE ROLE "@db@_Öl ""x"" o'neil@example.org";
ALTER DATABASE @db@ OWNER TO "@db@_Öl ""x"" o'neil@example.org";
ALTER ROLE "@db@_Öl ""x"" o'neil@example.org" IN DATABASE @db@ SET search_path = "$user", public;
