ALTER ROLE @owner@ SET statement_timeout = '60ms';
ALTER ROLE @owner@ SET lock_timeout = '50ms';
ALTER ROLE @owner@ SET idle_in_transaction_session_timeout = '150ms';
ALTER ROLE @admin@ SET statement_timeout = '60ms';
ALTER ROLE @admin@ SET idle_in_transaction_session_timeout = '150ms';
ALTER ROLE @reader@ SET statement_timeout = '60ms';
ALTER ROLE @owner@ SET max_parallel_workers_per_gather = 0;
ALTER ROLE @admin@ SET max_parallel_workers_per_gather = 0;
