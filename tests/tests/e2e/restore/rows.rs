//! `--data-only`: rows into the live database's own tables, which are there and empty.

use e2e::postgres::{Database, PASSWORD};

use super::Scene;

/// Keys in a circle, to itself and across schemas; triggers that would write; a partitioned table; quotes in names.
const SHOP: &str = "CREATE SCHEMA \"Läden\"; CREATE TABLE audit (what text);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO public.audit VALUES (TG_TABLE_NAME); NEW.note := ''fired''; RETURN NEW; END';
    CREATE TABLE users (id serial PRIMARY KEY, best integer, note text);
    CREATE TABLE \"Läden\".\"Order \"\"1\"\"\" (id serial PRIMARY KEY, owner integer NOT NULL REFERENCES users, before integer, note text);
    ALTER TABLE users ADD CONSTRAINT \"best one\" FOREIGN KEY (best) REFERENCES \"Läden\".\"Order \"\"1\"\"\";
    ALTER TABLE \"Läden\".\"Order \"\"1\"\"\" ADD CONSTRAINT b FOREIGN KEY (before) REFERENCES \"Läden\".\"Order \"\"1\"\"\" DEFERRABLE;
    CREATE TABLE log (day date, owner integer REFERENCES users, note text) PARTITION BY RANGE (day);
    CREATE TABLE log_a PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE log_b PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO users (note) SELECT 'u' FROM generate_series(1, 3);
    INSERT INTO \"Läden\".\"Order \"\"1\"\"\" (owner, before) SELECT 1, g % 4 + 1 FROM generate_series(1, 4) g;
    UPDATE users SET best = 4; INSERT INTO log SELECT date '2025-12-30' + g, 2 FROM generate_series(0, 3) g;
    CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER \"t \"\"2\"\"\" BEFORE INSERT ON \"Läden\".\"Order \"\"1\"\"\" FOR EACH ROW EXECUTE FUNCTION note();
    ALTER TABLE \"Läden\".\"Order \"\"1\"\"\" ENABLE ALWAYS TRIGGER \"t \"\"2\"\"\";
    CREATE TRIGGER l BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION note();
    CREATE TRIGGER off BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE users DISABLE TRIGGER off";

const EMPTY: &str = "TRUNCATE users, \"Läden\".\"Order \"\"1\"\"\", log, audit";

/// A database of a role that is no superuser and may create none, backed up.
fn scene(name: &str) -> Scene<'static> {
    let scene = Scene::new(name);
    let (database, role) = (scene.database.name().to_owned(), format!("{} Eigner", scene.database.name()));
    scene.database.query(&format!(
        "CREATE ROLE \"{role}\" LOGIN PASSWORD '{}'; ALTER DATABASE {database} OWNER TO \"{role}\"; SET ROLE \"{role}\"; {SHOP}",
        PASSWORD.replace('\'', "''")
    ));
    let scene = scene.with("DB_USER", &role);
    scene.agent.run(&["backup"]).succeeds();
    scene
}

/// Rows and sequences, then definitions.
fn content(database: &Database<'_>) -> [String; 2] {
    let sql = |arguments: &[&str]| {
        let sql = String::from_utf8(database.dump(arguments)).unwrap();
        let mut lines: Vec<&str> = sql.lines().filter(|line| !line.contains("restrict ")).collect();
        // Where keys go round in a circle, tables come in any order.
        lines.sort_unstable();
        lines.join("\n")
    };
    [sql(&["--data-only"]), sql(&["--schema-only"])]
}

#[test]
fn rows_come_back_into_their_empty_tables_and_nothing_else_changes() {
    let scene = scene("rows");
    let before = content(&scene.database);
    let run = ["restore", "latest", "--data-only", "--confirm"];
    scene.agent.run(&run).exits(1).mentions("have some already: ").mentions("public.users").mentions("TRUNCATE");
    assert_eq!(content(&scene.database), before);
    scene.database.query(&format!("{EMPTY} RESTART IDENTITY"));
    scene
        .agent
        .run(&["restore", "latest", "--data-only", "--dry-run"])
        .succeeds()
        .mentions("these keys are checked once all rows are in: ")
        .mentions("best one")
        .mentions("these triggers do not fire: ")
        .mentions("rows alone, into the tables that are there");
    // An application may stay connected, as long as it keeps no table locked.
    let scene = scene.with("RESTORE_CHECKS", "SELECT count(*) = 3 FROM users; SELECT count(*) = 0 FROM audit");
    scene.agent.run(&run).succeeds().mentions("2 checks of RESTORE_CHECKS passed");
    assert_eq!(content(&scene.database), before);
}

#[test]
fn one_tables_rows_come_back_whole_or_not_at_all() {
    let scene = scene("one_tables_rows");
    let before = content(&scene.database);
    let run = ["restore", "latest", "--data-only", "--table", "\"Läden\".*", "--confirm"];
    scene.database.query(
        "UPDATE users SET best = NULL; DELETE FROM \"Läden\".\"Order \"\"1\"\"\"; SELECT nextval('users_id_seq')",
    );
    scene.agent.run(&run).succeeds();
    // The sequence of a table that was not chosen goes on where it is.
    assert_eq!(
        scene.database.query("SELECT nextval('users_id_seq'), nextval('\"Läden\".\"Order \"\"1\"\"_id_seq\"')"),
        "5|5"
    );
    scene.database.query(
        "UPDATE users SET best = 4; SELECT setval('users_id_seq', 3); SELECT setval('\"Läden\".\"Order \"\"1\"\"_id_seq\"', 4)",
    );
    assert_eq!(content(&scene.database)[1], before[1]);
    assert_eq!(scene.database.query("SELECT count(*), string_agg(note, '') FROM \"Läden\".\"Order \"\"1\"\"\""), "4|");
    // A key that doesn't hold.
    scene.database.query(
        "UPDATE users SET best = NULL; DELETE FROM \"Läden\".\"Order \"\"1\"\"\"; DELETE FROM log; DELETE FROM users",
    );
    scene.agent.run(&run).exits(1).mentions("violates foreign key constraint").mentions("has not been changed");
    assert_eq!(scene.database.query("SELECT count(*) FROM \"Läden\".\"Order \"\"1\"\"\""), "0");
    assert_eq!(content(&scene.database)[1], before[1]);
    // A table that is gone, and one of somebody else.
    scene.database.query("ALTER TABLE log_b RENAME TO log_c");
    scene
        .agent
        .run(&["restore", "latest", "--data-only", "--table", "log", "--confirm"])
        .exits(5)
        .mentions("public.log_b");
    scene.database.query("ALTER TABLE log_c RENAME TO log_b; ALTER TABLE log_b OWNER TO postgres");
    scene
        .agent
        .run(&["restore", "latest", "--data-only", "--table", "log", "--confirm"])
        .exits(1)
        .mentions("does not own");
}

#[test]
fn definitions_and_then_rows_make_a_copy() {
    let scene = scene("two_steps");
    let options = scene.database.server().new_database("options");
    let copy = scene.database.server().database(&format!("{}_copy", scene.database.name()));
    let file = scene.file(".sql.gz").display().to_string();
    let agent = scene.agent.setting("DB_USER", e2e::postgres::USER);
    agent.run(&["restore", "latest", "--into", copy.name(), "--schema-only", "--confirm"]).succeeds();
    let run = ["restore", "--backup-file", &file, "--data-only", "--confirm", "--database", copy.name()];
    agent.run(&run).exits(1).mentions("--force");
    agent.run(&[&run[..], &["--force"]].concat()).succeeds();
    assert_eq!(content(&copy), content(&scene.database));
    // A backup of rows alone has its use.
    let agent = agent.setting("BACKUP_PG_DUMP_OPTIONS", "--data-only");
    agent.run(&["backup", "--name", "rows"]).succeeds();
    scene.database.query(&format!("{EMPTY} RESTART IDENTITY"));
    agent.run(&["restore", "latest", "--confirm"]).exits(1).mentions("--data-only");
    agent.run(&["restore", "latest", "--data-only", "--confirm"]).succeeds();
    assert_eq!(content(&copy), content(&scene.database));
    agent.run(&["restore", "latest", "--data-only", "--confirm", "--force", "--database", options.name()]).exits(5);
}
