ALTER DATABASE @db@ SET statement_timeout = '60ms';
ALTER DATABASE @db@ SET lock_timeout = '20ms';
ALTER DATABASE @db@ SET idle_in_transaction_session_timeout = '100ms';
ALTER DATABASE @db@ SET idle_session_timeout = '200ms';
ALTER DATABASE @db@ SET max_parallel_workers_per_gather = 0;
