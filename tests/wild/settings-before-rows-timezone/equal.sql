SELECT * FROM per_day ORDER BY 1;
SHOW timezone;
