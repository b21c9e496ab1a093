ALTER ROLE @app@ IN DATABASE @db@ SET work_mem = '9MB';
