//! A part of a backup: some tables, a schema, or definitions alone.

use e2e::postgres::Database;

use super::Scene;

/// Names as people give them, partitions, children, keys between schemas, sequences, a view, a materialized view, and a large object.
const SHOP: &str = "CREATE SCHEMA \"Läden\"; CREATE SCHEMA billing;
    CREATE TABLE users (id serial PRIMARY KEY, name text); INSERT INTO users (name) SELECT 'u' || g FROM generate_series(1, 5) g;
    CREATE TABLE \"Läden\".\"Ort \"\"A\"\"\" (id integer PRIMARY KEY); INSERT INTO \"Läden\".\"Ort \"\"A\"\"\" VALUES (1), (2);
    CREATE TABLE billing.invoices (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner integer REFERENCES users);
    INSERT INTO billing.invoices (owner) SELECT 1 FROM generate_series(1, 7);
    CREATE TABLE billing.log (day date, text text) PARTITION BY RANGE (day);
    CREATE TABLE billing.log_2025 PARTITION OF billing.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE log_2026 PARTITION OF billing.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO billing.log SELECT date '2025-12-30' + g, 'x' FROM generate_series(0, 3) g;
    CREATE VIEW rich AS SELECT u.name, i.id FROM users u JOIN billing.invoices i ON i.owner = u.id;
    CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM users;
    SELECT lo_create(4711)";

/// How many rows each table has.
const COUNTS: &str = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM \"Läden\".\"Ort \"\"A\"\"\"),
    (SELECT count(*) FROM billing.invoices), (SELECT count(*) FROM billing.log), (SELECT count(*) FROM rich), (SELECT count(*) FROM pg_largeobject_metadata)";

/// Restores with `options` into a database of its own.
fn rescued<'a>(scene: &'a Scene<'_>, name: &str, options: &[&str]) -> (Database<'a>, e2e::agent::Outcome) {
    let rescue = scene.database.server().database(&format!("{}_{name}", scene.database.name()));
    let run = [&["restore", "latest", "--into", rescue.name(), "--confirm"], options].concat();
    let outcome = scene.agent.run(&run);
    (rescue, outcome)
}

#[test]
fn tables_are_chosen_by_schema_and_by_names_as_psql_takes_them() {
    let scene = Scene::new("parts");
    scene.database.query(SHOP);
    scene.agent.run(&["backup"]).succeeds();
    let scene = scene.with("RESTORE_CHECKS", "SELECT count(*) = 5 FROM users");
    for (name, options, counts, says) in [
        ("schema", &["--schema", "billing"][..], "0|0|7|4|0|0", "the rows of schema billing, public.log_2026 alone"),
        ("quoted", &["--table", "\"Läden\".\"Ort \"\"A\"\"\""], "0|2|0|0|0|0", "alone"),
        ("exact", &["--table", "Läden.Ort \"A\""], "0|2|0|0|0|0", "alone"),
        ("pattern", &["--table", "USER*", "--table", "billing.inv?ices"], "5|0|7|0|7|0", "large objects are left out"),
        ("within", &["--schema", "billing", "--table", "log"], "0|0|0|4|0|0", "the rows of log, "),
    ] {
        let (rescue, run) = rescued(&scene, name, options);
        // The whole's checks would miss the rest of it.
        run.succeeds().mentions(says).keeps_silent_about("checking: ");
        assert_eq!(rescue.query(COUNTS), counts, "{options:?}");
        // Sequences go on where they were, so that new rows don't collide.
        assert_eq!(rescue.query("SELECT nextval('users_id_seq'), nextval('billing.invoices_id_seq')"), "6|8");
    }
    for (options, why) in [
        (&["--schema", "bill"][..], "the backup has no schema bill"),
        (&["--schema", "billing", "--table", "users"], "no table users in the schemas of --schema"),
        (&["--table", "\"Users\""], "no table \"Users\""),
    ] {
        rescued(&scene, "none", options).1.exits(5).mentions(why);
    }
    scene.agent.run(&["restore", "latest", "--schema", "billing", "--confirm"]).exits(2).mentions("--into");
}

#[test]
fn definitions_alone_make_every_object_and_no_row() {
    let scene = Scene::new("definitions");
    scene.database.query(SHOP);
    scene.agent.run(&["backup"]).succeeds();
    let (rescue, run) = rescued(&scene, "empty", &["--schema-only"]);
    run.succeeds().mentions("the definitions alone, without any row");
    assert_eq!(rescue.query(COUNTS), "0|0|0|0|0|0");
    assert_eq!(
        rescue.query("SELECT nextval('users_id_seq'), (SELECT relispopulated FROM pg_class WHERE relname = 'counts')"),
        "1|f"
    );
    let definitions = |database: &Database<'_>| {
        let sql = String::from_utf8(database.dump(&["--schema-only"])).unwrap();
        sql.lines().filter(|line| !line.contains("restrict ")).map(str::to_owned).collect::<Vec<_>>()
    };
    rescue.query("SELECT setval('users_id_seq', 1, false)");
    assert_eq!(definitions(&rescue), definitions(&scene.database));
}
