//! Indexes and keys of tables whose rows are in are made while other rows are still being loaded, and what comes of it is what always
//! came of it. Of a dump of pg_dump's own nothing is known of a table's size, so each is loaded, and made whole, by itself.

use std::path::{Path, PathBuf};

use e2e::postgres::{Database, Installation, Postgres};

use super::Scene;

/// Tables that hang together in every way.
const TABLES: &str = r#"
    CREATE TABLE hen (id integer PRIMARY KEY, egg integer); CREATE TABLE egg (id integer PRIMARY KEY, hen integer);
    INSERT INTO hen SELECT n, n FROM generate_series(1, 500) n; INSERT INTO egg SELECT n, n FROM generate_series(1, 500) n;
    ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg; ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen;
    CREATE TABLE "a ""tree"" %s ü" (id integer PRIMARY KEY, above integer REFERENCES "a ""tree"" %s ü", name text COLLATE "C" UNIQUE);
    INSERT INTO "a ""tree"" %s ü" SELECT n, nullif(n / 2, 0), 'n' || n FROM generate_series(1, 500) n;
    CREATE TABLE parted (id integer, day date, hen integer REFERENCES hen, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    CREATE INDEX ON parted (hen); INSERT INTO parted SELECT n, '2026-01-01'::date + n % 59, n FROM generate_series(1, 400) n;
    CREATE TABLE refers (id integer, day date, FOREIGN KEY (id, day) REFERENCES parted); INSERT INTO refers SELECT id, day FROM parted;
    CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child (more text, UNIQUE (id)) INHERITS (parent);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 'x'); CREATE INDEX ON parent (id);
    CREATE TABLE points_to_parent (id integer REFERENCES parent); INSERT INTO points_to_parent VALUES (1);
    CREATE UNLOGGED TABLE unlogged (id integer PRIMARY KEY); INSERT INTO unlogged VALUES (1);
    CREATE TABLE booked (at int4range, EXCLUDE USING gist (at WITH &&)); INSERT INTO booked VALUES ('[1,2)'), ('[2,3)');
    CREATE TABLE partial (id integer, gone boolean); INSERT INTO partial SELECT n, n % 2 = 0 FROM generate_series(1, 100) n;
    CREATE UNIQUE INDEX ON partial (id) WHERE NOT gone; CREATE INDEX clustered ON partial (id); CLUSTER partial USING clustered;
    CREATE UNIQUE INDEX identity ON "a ""tree"" %s ü" (id) INCLUDE (above); ALTER TABLE "a ""tree"" %s ü" REPLICA IDENTITY USING INDEX identity;
    COMMENT ON INDEX clustered IS 'a comment'; COMMENT ON CONSTRAINT hen_pkey ON hen IS 'another';
    CREATE MATERIALIZED VIEW eggs AS SELECT count(*) FROM egg; CREATE STATISTICS s ON id, egg FROM hen"#;

/// What looks into a table of which it says nothing.
const LOOKUP: &str = "CREATE TABLE zz_names (id integer, name text); INSERT INTO zz_names SELECT n, 'name ' || n FROM generate_series(1, 300) n;
    CREATE FUNCTION name_of(integer) RETURNS text LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RETURN (SELECT name FROM public.zz_names z WHERE z.id = $1); END';
    CREATE TABLE a_list (id integer); INSERT INTO a_list SELECT generate_series(1, 300); CREATE INDEX ON a_list (name_of(id));
    CREATE TABLE b_list (id integer); INSERT INTO b_list SELECT generate_series(1, 300); CREATE INDEX ON b_list (id) WHERE name_of(id) IS NOT NULL";

fn dumped(scene: &Scene<'_>, arguments: &[&str]) -> PathBuf {
    let file = scene.folder.path().join("by-hand.dump");
    std::fs::write(&file, scene.database.dump(&[&["-Fc"], arguments].concat())).unwrap();
    file
}

fn restore(file: &Path) -> Vec<&str> {
    vec!["restore", "--backup-file", file.to_str().unwrap(), "--confirm", "--jobs", "3", "--verbose"]
}

fn plainly_restored(server: &Postgres, file: &Path) -> String {
    let plain: Database<'_> = server.new_database("plain");
    plain.restore(&std::fs::read(file).unwrap());
    plain.as_sql()
}

#[test]
fn whatever_hangs_together_comes_back_on_every_version() {
    for installation in [Installation::debian(), Installation::sixteen(), Installation::eighteen()] {
        let server = Postgres::start(installation);
        let scene = Scene::on(&server, "early");
        scene.database.query(TABLES);
        let file = dumped(&scene, &[]);
        let expected = plainly_restored(&server, &file);
        let run = scene.agent.run(&restore(&file)).succeeds();
        let run = run
            .mentions("begins CONSTRAINT public.hen hen_pkey")
            .mentions("begins FK CONSTRAINT public.hen hen_egg_fkey");
        run.keeps_silent_about("begins CONSTRAINT public.parent").keeps_silent_about("booked_at_excl");
        assert_eq!(scene.database.as_sql(), expected);
        let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        assert_eq!(scene.database.query(invalid), "0");
        let unchecked = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated";
        assert_eq!(scene.database.query(unchecked), "0");
    }
}

#[test]
fn an_index_that_looks_into_other_tables_waits_for_their_rows() {
    let scene = Scene::new("lookup");
    scene.database.query(LOOKUP);
    let file = dumped(&scene, &[]);
    scene.agent.run(&restore(&file)).succeeds().keeps_silent_about("begins INDEX");
    let found = "SET enable_seqscan = off; SELECT count(*) FROM a_list WHERE name_of(id) = 'name 77'";
    assert_eq!(scene.database.query(found), "1");
    let found = "SET enable_seqscan = off; SELECT count(*) FROM b_list WHERE id = 77 AND name_of(id) IS NOT NULL";
    assert_eq!(scene.database.query(found), "1");
}

#[test]
fn rows_of_inserts_and_rows_by_way_of_the_root_come_back() {
    for way in ["--rows-per-insert=50", "--load-via-partition-root"] {
        let scene = Scene::new("inserted");
        scene.database.query(TABLES);
        let file = dumped(&scene, &[way]);
        let expected = plainly_restored(scene.database.server(), &file);
        scene.agent.run(&restore(&file)).succeeds();
        assert_eq!(scene.database.as_sql(), expected, "{way}");
    }
}

#[test]
fn a_key_that_does_not_hold_fails_the_restore_and_leaves_nothing() {
    let scene = Scene::backed_up("unheld");
    // An index that is broken lets duplicates in, and only a restore finds them.
    scene.database.query("CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 10)");
    scene.database.query(
        "UPDATE pg_index SET indisunique = false, indisready = false WHERE indexrelid = 'a_pkey'::regclass; INSERT INTO a VALUES (7)",
    );
    scene
        .database
        .query("UPDATE pg_index SET indisunique = true, indisready = true WHERE indexrelid = 'a_pkey'::regclass");
    let file = dumped(&scene, &[]);
    let failed = scene.agent.run(&restore(&file)).exits(1);
    failed.mentions("could not create unique index \"a_pkey\"").mentions("has not been changed");
    assert_eq!((scene.rows().as_str(), scene.beside().len()), ("10", 0));
}

#[test]
fn a_session_that_is_ended_while_it_makes_an_index_fails_the_restore_and_leaves_nothing() {
    let scene = Scene::new("ended");
    scene.database.query("CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 10)");
    scene.database.query("CREATE TABLE b (id integer); INSERT INTO b VALUES (1)");
    let file = dumped(&scene, &[]);
    // Whoever makes the key is gone before it is made.
    let programs = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().join("pg_restore").display().to_string();
    let psql = real.replace("pg_restore", "psql");
    let body = format!(
        "case \"$*\" in *--section*|*--schema-only*|*--version*) exec {real} \"$@\";; esac
        for a in \"$@\"; do case $a in --dbname=*) exec {psql} -X -q \"${{a#--dbname=}}\" -c 'SELECT pg_terminate_backend(pg_backend_pid())';; esac; done"
    );
    super::script(programs.path(), "pg_restore", &body);
    let scene = Scene { agent: scene.agent.programs_in(programs.path()), ..scene };
    scene.agent.run(&restore(&file)).exits(1).mentions("terminating connection").mentions("has not been changed");
    assert_eq!((scene.database.query("SELECT count(*) FROM a").as_str(), scene.beside().len()), ("10", 0));
}

#[test]
fn foreign_keys_of_large_tables_are_made_in_two_steps_and_hold() {
    let scene = Scene::new("checked");
    scene.database.fill_with_megabytes(24);
    let expected = plainly_restored(scene.database.server(), &dumped(&scene, &[]));
    scene.agent.run(&["backup"]).succeeds();
    let run = ["restore", "latest", "--confirm", "--jobs", "2", "--verbose"];
    scene.agent.run(&run).succeeds().mentions("begins the check of FK CONSTRAINT public.charts charts_user_id_fkey");
    assert_eq!(scene.database.as_sql(), expected);
    assert_eq!(scene.database.query("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), "0");
    // A row whose counterpart is missing, which nothing has noticed.
    scene.database.query("SET session_replication_role = replica; UPDATE charts SET user_id = -1 WHERE id = 1");
    scene.agent.run(&["backup"]).succeeds();
    let failed = scene.agent.run(&run).exits(1);
    failed.mentions("violates foreign key constraint").mentions("has not been changed");
    assert_eq!(scene.database.query("SELECT count(*) FROM charts WHERE user_id = -1"), "1");
}
