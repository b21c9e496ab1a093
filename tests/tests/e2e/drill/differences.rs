//! What is changed by hand in the scratch database is found and named.

use e2e::agent::Agent;
use e2e::bounds::wait_until;
use e2e::postgres::Postgres;
use e2e::process::output;

use super::{Scene, only};

/// A check that waits, in the scratch database, until somebody there holds a lock: the time to change something by hand.
const GATE: &str = "CREATE FUNCTION public.gate() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    FOR i IN 1..3000 LOOP
        IF EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objid = 4711) THEN RETURN true; END IF;
        PERFORM pg_sleep(0.02);
    END LOOP;
    RETURN false;
END $$;";

/// SQL that changes one thing, and what is said of it.
const CHANGES: [(&str, &str); 20] = [
    ("UPDATE users SET name = 'Eve' WHERE id = 7", "table public.users: not all of its 12 rows are the same"),
    ("DELETE FROM orders WHERE id = 3", "table public.orders: 4 rows instead of 5"),
    ("SELECT setval('orders_id_seq', 41)", "sequence public.orders_id_seq: 41 instead of 42"),
    ("COMMENT ON COLUMN users.name IS 'another'", "comment on column public.users.name differs"),
    (
        "CREATE OR REPLACE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1'",
        "function public.total(integer): its body differs",
    ),
    (
        "REVOKE SELECT ON users FROM pg_monitor",
        "privileges on table public.users: without GRANT SELECT ON TABLE public.users TO pg_monitor",
    ),
    ("ALTER TABLE users ALTER COLUMN mail SET DEFAULT 'y'", "table public.users: column mail differs"),
    ("DROP INDEX users_name", "index public.users_name is missing"),
    ("CREATE VIEW late AS SELECT 1 AS one", "view public.late is new"),
    ("ALTER FUNCTION gate() OWNER TO pg_monitor", "function public.gate() belongs to pg_monitor instead of postgres"),
    ("ALTER TABLE orders DISABLE TRIGGER touched", "trigger touched of public.orders: its definition differs"),
    ("SELECT lo_put(4712, 0, 'X')", "large objects: the content of the 1 is not the same"),
    ("GRANT SELECT ON LARGE OBJECT 4712 TO PUBLIC", "owner or privileges of 1 large object differs: 4712"),
    ("ALTER DATABASE \"{scratch}\" SET work_mem = '9MB'", "the database's setting work_mem differs or is missing"),
    // Beside what a restore is known to change.
    ("ALTER TABLE chi ALTER COLUMN b SET DEFAULT 'y'", "table public.chi: column b differs"),
    ("UPDATE chi SET a = a + 1", "table public.chi: its row differs"),
    (
        "DROP STATISTICS likely; CREATE STATISTICS likely (mcv) ON a, b FROM chi",
        "statistics public.likely: its definition differs",
    ),
    ("ALTER PUBLICATION changed SET TABLE chi (a)", "publication table public.changed chi: its definition differs"),
    ("ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "type public.mood: label 'fine' differs"),
    ("COMMENT ON DATABASE \"{scratch}\" IS 'mine'", "comment on the database differs"),
];

#[test]
fn everything_changed_by_hand_in_the_scratch_database_is_named() {
    let scene = Scene::on(Postgres::shared(), "changed");
    scene.database.query(&format!(
        "{GATE}
        CREATE TABLE users (id integer PRIMARY KEY, name text, mail text DEFAULT 'x'); CREATE INDEX users_name ON users (name);
        INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 12) n;
        CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT n FROM generate_series(1, 5) n;
        SELECT setval('orders_id_seq', 42); COMMENT ON COLUMN users.name IS 'as they say it';
        CREATE FUNCTION total(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1'; GRANT SELECT ON users TO pg_monitor;
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TABLE par (a integer, b text); CREATE TABLE chi (c date, b text DEFAULT 'x', a integer); ALTER TABLE chi INHERIT par;
        INSERT INTO chi (a) VALUES (1); CREATE STATISTICS likely ON c, b, a FROM chi; CREATE PUBLICATION changed FOR TABLE chi (b, a) WITH (publish = 'insert');
        CREATE TYPE mood AS ENUM ('ok');
        SELECT lo_from_bytea(4712, 'content'); ALTER DATABASE {0} SET work_mem = '8MB'; COMMENT ON DATABASE {0} IS 'the shop'",
        scene.database.name()
    ));
    let scene = scene.backed_up().with("RESTORE_CHECKS", "SELECT public.gate()");
    let server = scene.database.server();
    let mut run = scene.agent.start(&["drill", "--json"]);
    run.wait_for("checking: ");
    let prefix = format!("{}_drill_", scene.database.name());
    let scratch = server.databases().into_iter().find(|name| name.starts_with(&prefix)).expect("a scratch database");
    let changes: String = CHANGES.iter().map(|(sql, _)| format!("{sql};\n")).collect();
    let changes = changes.replace("{scratch}", &scratch);
    let copy = server.database(&scratch);
    copy.query(&changes);
    let mut opening = copy.client(server.installation(), "psql");
    opening.args(["--command", "SELECT pg_advisory_lock(4711)", "--command", "SELECT pg_sleep(60)"]);
    // The drill ends it when it drops the database.
    drop(output(&mut opening));
    let outcome = run.wait().exits(6);
    let drill = only(&outcome);
    let differences: Vec<&str> =
        drill["differences"].as_array().unwrap().iter().map(|sentence| sentence.as_str().unwrap()).collect();
    for (sql, said) in CHANGES {
        assert!(differences.contains(&said), "{sql}\n{outcome}");
    }
    // The label has an old name and a new one.
    let expected = CHANGES.len() + 1;
    assert_eq!(differences.len(), expected, "{outcome}");
    assert_eq!((drill["passed"].as_bool(), drill["differing"].as_u64()), (Some(false), Some(expected as u64)));
    let (beside, status) = scene.recorded();
    assert_eq!((&beside, &status["last"], &status["lastPassed"]), (&drill, &drill, &serde_json::Value::Null));
    wait_until("nothing is left", || scene.is_clean());
}

#[test]
fn a_check_that_does_not_return_true_fails_the_drill_and_tells_no_row() {
    let scene = Scene::on(Postgres::shared(), "checked");
    scene.database.query("CREATE TABLE people AS SELECT 'Ada Lovelace'::text AS name");
    let scene = scene.backed_up().with("RESTORE_CHECKS", "SELECT count(*) = 1 FROM people; SELECT name FROM people");
    let outcome = scene.agent.run(&["drill"]).exits(6);
    let outcome = outcome.mentions("FAILED").mentions("1 of 2 passed").mentions("SELECT name FROM people");
    outcome.keeps_silent_about("Ada");
    assert_eq!(scene.recorded().1["lastPassed"], serde_json::Value::Null);
    let scene = scene.with("RESTORE_CHECKS", "SELECT count(*) = 1 FROM people");
    let outcome = scene.agent.run(&["drill", "--quiet"]).succeeds();
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "cron mails nothing");
    let (beside, status) = scene.recorded();
    assert_eq!((beside["passed"].as_bool(), &status["lastPassed"]), (Some(true), &beside["finished"]));
}

#[test]
fn what_was_written_under_other_settings_is_compared_as_it_was_written() {
    let scene = Scene::on(Postgres::shared(), "written");
    scene.database.query(
        "CREATE TABLE t (at timestamptz CHECK (at > '2020-01-01 00:00'), b bytea); INSERT INTO t VALUES ('2026-01-01 12:00+00', 'a b');
         COMMENT ON TABLE t IS E'back\\slash'; CREATE VIEW v AS SELECT at FROM t WHERE at > '2021-01-01 00:00+00'",
    );
    let options =
        "-c TimeZone=Asia/Tokyo -c bytea_output=escape -c quote_all_identifiers=on -c standard_conforming_strings=off";
    let agent = Agent::new().database(&scene.database).directory(scene.folder.path());
    agent.setting("PGOPTIONS", options).run(&["backup"]).succeeds();
    scene.agent.run(&["drill"]).succeeds().mentions("PASSED");
    scene.agent.run(&["drill", "--temporary-server"]).succeeds().mentions("PASSED");
    // As of an earlier release, which didn't write them down.
    let manifest = std::fs::read_dir(scene.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifest.into_iter().find(|path| path.to_string_lossy().ends_with(".manifest.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    let session = document["database"].as_object_mut().unwrap().remove("session").unwrap();
    assert_eq!(session["TimeZone"], "Asia/Tokyo");
    std::fs::write(&manifest, document.to_string()).unwrap();
    let outcome = scene.agent.run(&["drill"]).exits(6);
    outcome.mentions("table public.t: its row differs").mentions("set PGTZ to the time zone");
}

#[test]
fn columns_in_another_order_are_no_comfort_where_they_change_what_a_value_means() {
    let scene = Scene::on(Postgres::shared(), "moved columns");
    scene.database.query(
        "CREATE TABLE par (a text); CREATE TABLE chi (c text) INHERITS (par); ALTER TABLE par ADD b text;
         INSERT INTO chi (a, b, c) VALUES ('is A', 'is B', 'is C'); CREATE TABLE holder (x chi); INSERT INTO holder SELECT chi FROM chi",
    );
    let scene = scene.backed_up();
    let outcome = scene.agent.run(&["drill", "--json"]).exits(6);
    let differences = only(&outcome)["differences"].to_string();
    assert!(differences.contains("table public.holder: its values of the type public.chi"), "{differences}");
    scene.database.query(
        "DROP TABLE holder; CREATE VIEW placed AS SELECT c.x FROM chi c (x, y, z);
         CREATE FUNCTION rows() RETURNS SETOF chi LANGUAGE sql BEGIN ATOMIC SELECT * FROM chi; END",
    );
    let scene = scene.backed_up();
    let differences = only(&scene.agent.run(&["drill", "--json"]).exits(6))["differences"].to_string();
    for said in [
        "view public.placed: it names columns of public.chi by their places",
        "function public.rows(): it returns rows of public.chi",
    ] {
        assert!(differences.contains(said), "{differences}");
    }
    scene.database.query("DROP VIEW placed; DROP FUNCTION rows()");
    let scene = scene.with("BACKUP_PG_DUMP_OPTIONS", "--inserts").backed_up();
    let outcome = scene.agent.run(&["drill", "--json"]).succeeds();
    let uncompared = only(&outcome)["uncompared"].to_string();
    assert!(
        uncompared.contains("which column a value belongs to") && uncompared.contains("public.chi"),
        "{uncompared}"
    );
    assert!(scene.is_clean());
}
