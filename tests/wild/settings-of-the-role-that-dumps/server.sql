ALTER ROLE @owner@ SET lc_monetary = 'es_CL.UTF-8';
ALTER ROLE @owner@ SET timezone = 'Asia/Kolkata';
ALTER ROLE @reader@ SET lc_monetary = 'es_CL.UTF-8';
ALTER ROLE @admin@ SET datestyle = 'German';
ALTER ROLE @admin@ SET lc_monetary = 'es_CL.UTF-8';
