ALTER DATABASE @db@ SET default_text_search_config = 'pg_catalog.german';
ALTER DATABASE @db@ SET intervalstyle = 'iso_8601';
ALTER DATABASE @db@ SET bytea_output = 'escape';
ALTER DATABASE @db@ SET extra_float_digits = -10;
