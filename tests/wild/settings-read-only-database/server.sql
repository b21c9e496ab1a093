ALTER DATABASE @db@ SET default_transaction_read_only = on;
