DO $$ BEGIN
    IF to_regclass('public.let_it_be') IS NULL THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
END $$;
CREATE TABLE lg_ended (id int);
