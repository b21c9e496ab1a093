SET ROLE @owner@;
DO $$ BEGIN FOR n IN 1 .. 220 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, word text)', n); COMMIT; END LOOP; END $$;
