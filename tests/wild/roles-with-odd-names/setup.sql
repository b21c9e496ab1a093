CREATE SCHEMA "public of o'neil" AUTHORIZATION "@db@_Öl ""x"" o'neil@example.org";
CREATE TABLE "public of o'neil".t AS SELECT 1 AS id;
GRANT SELECT ON "public of o'neil".t TO "@db@_Öl ""x"" o'neil@example.org" WITH GRANT OPTION;
SET ROLE "@db@_Öl ""x"" o'neil@example.org";
GRANT USAGE ON SCHEMA "public of o'neil" TO @app@;
RESET ROLE;
CREATE POLICY "for o'neil" ON "public of o'neil".t TO "@db@_Öl ""x"" o'neil@example.org", PUBLIC USING (true);
ALTER DEFAULT PRIVILEGES FOR ROLE "@db@_Öl ""x"" o'neil@example.org" GRANT SELECT ON TABLES TO PUBLIC;
