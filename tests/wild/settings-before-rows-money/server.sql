ALTER DATABASE @db@ SET lc_monetary = 'es_CL.UTF-8';
