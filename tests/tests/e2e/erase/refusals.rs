//! SQL that does more than it may, or isn't SQL, leaves every backup as it was.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::postgres::{PASSWORD, USER};

use super::{Scene, silent, told};

fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn what_goes_beyond_rows_is_refused_and_nothing_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new("refused").with(|agent| agent.directory(folder.path()));
    scene.agent.run(&["backup"]).succeeds();
    let before = content(folder.path());
    let file = scene.agent.home().join("forget.sql");
    let path = file.display().to_string();
    let run = |sql: &str| {
        std::fs::write(&file, sql).unwrap();
        silent(scene.agent.run(&["erase", "--sql", &path, "--all", "--confirm"]))
    };
    for (sql, said) in [
        ("DELETE FROM orders WHERE contact = 'ada.o''neil'; COMMIT", "PostgreSQL's error 0A000"),
        ("\\! touch owned\nDELETE FROM orders", "PostgreSQL's error 42601"),
        ("DELETE FROM customers WHERE id = 'ada.o''neil'", "PostgreSQL's error 22P02"),
        // Nothing is touched row by row, and all of it is gone.
        ("TRUNCATE addresses", "more differs than the rows"),
        // Cascades are triggers.
        ("SET session_replication_role = replica; DELETE FROM customers", "break the foreign key"),
        (
            "DELETE FROM products WHERE name = 'product 1'; CREATE TABLE x AS SELECT 1 AS one",
            "what left the table public.x",
        ),
        (
            "DELETE FROM products WHERE name = 'product 1'; CREATE VIEW x AS SELECT 1 AS one",
            "more differs than the rows",
        ),
    ] {
        run(sql).exits(1).mentions(said);
        assert_eq!(content(folder.path()), before, "{sql}");
    }
    assert!(!scene.agent.home().join("owned").exists());
    scene
        .agent
        .run(&["erase", "--table", "nobodys", "--where", "a=b", "--all", "--confirm"])
        .exits(5)
        .mentions("has a table nobodys");
    scene.agent.run(&["erase", "--table", "customers", "--where", "email=x", "--all"]).exits(1).mentions("--confirm");
    assert_eq!(std::fs::read_dir(scene.temporary.path()).unwrap().count(), 0);

    // Changing rows is no more than that.
    let sql = "UPDATE orders SET contact = 'nobody' WHERE contact LIKE 'ada.o%'; DELETE FROM addresses WHERE street LIKE '%ada.o%'";
    std::fs::write(&file, sql).unwrap();
    crate::json::holds("erase --dry-run", &scene.erase(&["--all", "--dry-run", "--json"]).succeeds());
    let outcome = silent(scene.agent.run(&["erase", "--sql", &path, "--all", "--confirm", "--json"])).succeeds();
    crate::json::holds("erase", &outcome);
    let answer = outcome.json();
    let changed = told(&answer["backups"][0]["tables"]);
    assert_eq!(changed, [("public.addresses".to_owned(), 1, 0), ("public.orders".to_owned(), 2, 2)]);
    scene.agent.run(&["drill", "--temporary-server"]).succeeds().mentions("PASSED");
}

/// What people make of tables.
const ODD: &str = r#"
    CREATE TABLE "Käufe %s ""q""" (id int, "E-Mail %" text, "Note" text);
    INSERT INTO "Käufe %s ""q""" VALUES (1, 'ada.o''neil', 'x'), (2, 'bob', NULL), (3, 'cy', NULL);
    CREATE TABLE kept (id int);
    INSERT INTO kept VALUES (1), (2);
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER keep BEFORE DELETE ON kept FOR EACH ROW EXECUTE FUNCTION keep();
    CREATE TABLE ruled (id int);
    INSERT INTO ruled VALUES (1), (2);
    CREATE RULE keep AS ON DELETE TO ruled DO INSTEAD NOTHING;
    CREATE TABLE watched (id int);
    INSERT INTO watched VALUES (1), (2);
    CREATE TABLE audit (what int);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit VALUES (OLD.id); RETURN OLD; END';
    CREATE TRIGGER note AFTER DELETE ON watched FOR EACH ROW EXECUTE FUNCTION note();
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port 'PORT', dbname 'NAME');
    CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'USER', password 'PASSWORD');
    CREATE FOREIGN TABLE far (id int) SERVER far OPTIONS (schema_name 'public', table_name 'near');
    CREATE TABLE near (id int);
    INSERT INTO near VALUES (1), (2);
    CREATE TABLE "Split" (id int, at int) PARTITION BY RANGE (at);
    CREATE TABLE here PARTITION OF "Split" FOR VALUES FROM (0) TO (10);
    INSERT INTO "Split" VALUES (1, 1), (2, 2);
"#;

#[test]
fn triggers_rules_roles_and_other_servers_are_no_way_round_and_odd_names_and_nulls_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::of("odd", "CREATE TABLE customers (email text)").with(|agent| agent.directory(folder.path()));
    let port = scene.database.server().port().to_string();
    let odd = [("PORT", port.as_str()), ("NAME", scene.database.name()), ("USER", USER), ("PASSWORD", PASSWORD)];
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    scene
        .database
        .query(&odd.iter().fold(ODD.to_owned(), |sql, (what, with)| sql.replace(&quoted(what), &quoted(with))));
    scene.agent.run(&["backup"]).succeeds();
    let before = content(folder.path());
    let erase = |more: &[&str]| silent(scene.agent.run(&[&["erase", "--all", "--confirm"][..], more].concat()));
    for (table, said) in [
        ("kept", "rows that match are still there"),
        ("ruled", "rows that match are still there"),
        ("watched", "a trigger or a rule writes into public.audit"),
    ] {
        erase(&["--table", table, "--where", "id=1"]).exits(1).mentions(said);
    }
    let file = scene.agent.home().join("forget.sql");
    for (sql, said) in [
        ("DELETE FROM kept; CREATE ROLE nobody", "makes or changes roles"),
        ("DELETE FROM far WHERE id = 1", "PostgreSQL's error 55000"),
    ] {
        std::fs::write(&file, sql).unwrap();
        erase(&["--sql", &file.display().to_string()]).exits(1).mentions(said);
    }
    assert_eq!(scene.database.query("SELECT count(*) FROM near"), "2", "another server was reached");
    assert_eq!(content(folder.path()), before);
    let dry = |more: &[&str]| erase(&[more, &["--dry-run"]].concat());
    dry(&["--table", "nobodys", "--where", "a=b"]).exits(5).mentions("none of these backups has a table nobodys");
    dry(&["--table", "customers", "--where", "email"]).exits(2).mentions("a --where is no condition");
    dry(&["--table", "\"Split\"", "--where", "ID=1"]).succeeds().mentions("public.here: 1 of 2 rows");

    let table = r#"Käufe %s "q""#;
    let outcome =
        erase(&["--table", table, "--where", "Note is null", "--where", "\"E-Mail %\"=bob", "--json"]).succeeds();
    let answer = outcome.json();
    assert_eq!(told(&answer["backups"][0]["tables"]), [(format!("public.{table}"), 1, 0)], "{outcome}");
    assert_eq!(answer["asked"]["columns"], serde_json::json!(["Note", "E-Mail %"]));
    let rows = scene.agent.run(&["rows", "latest", "--table", table, "--json"]).succeeds().json();
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
}
