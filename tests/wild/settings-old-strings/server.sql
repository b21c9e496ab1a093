ALTER DATABASE @db@ SET standard_conforming_strings = off;
ALTER DATABASE @db@ SET array_nulls = off;
ALTER DATABASE @db@ SET quote_all_identifiers = on;
ALTER DATABASE @db@ SET client_encoding = 'LATIN1';
ALTER DATABASE @db@ SET xmloption = 'document';
ALTER DATABASE @db@ SET search_path = 'nowhere', 'public';
