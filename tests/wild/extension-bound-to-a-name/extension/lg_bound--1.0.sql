DO $$ BEGIN
    -- Stands for cron.database_name: the corpus' databases are w1, w2 and so on.
    IF current_database() !~ '^w[0-9]+$' THEN RAISE 'can only create extension in database %', split_part(current_database(), '_', 1); END IF;
END $$;
CREATE TABLE lg_bound_jobs (id int);
