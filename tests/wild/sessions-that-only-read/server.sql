ALTER ROLE @owner@ SET default_transaction_read_only = on;
ALTER ROLE @admin@ SET default_transaction_read_only = on;
