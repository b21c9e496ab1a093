//! SQL that does more than it may, or isn't SQL, leaves every backup as it was.

use std::collections::BTreeMap;
use std::path::Path;

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
