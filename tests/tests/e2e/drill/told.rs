//! What a drill tells: monitors, people who look first, and who reads its figures.

use e2e::agent::Agent;
use e2e::postgres::Postgres;
use serde_json::json;

use super::{Scene, only};
use crate::backup::healthcheck::monitor;

#[test]
fn each_databases_drill_is_told_to_its_monitor_when_it_begins_passes_or_fails() {
    let scene = Scene::on(Postgres::shared(), "pinged");
    scene.database.query("CREATE TABLE people AS SELECT 'Ada Lovelace'::text AS name");
    let scene = scene.backed_up();
    let (url, pings) = monitor();
    let scene = scene.with("BACKUP_DRILL_HEALTHCHECK_URL", &url);
    scene.agent.run(&["drill", "--dry-run"]).succeeds();
    assert_eq!(pings.lock().unwrap().len(), 0, "a look is no drill");
    scene.agent.run(&["drill"]).succeeds();
    assert_eq!(*pings.lock().unwrap(), ["/uuid/start\n", "/uuid\n"]);
    let scene = scene.with("RESTORE_CHECKS", "SELECT count(*) = 2 FROM people");
    scene.agent.run(&["drill"]).exits(6);
    let told = pings.lock().unwrap().clone();
    assert_eq!((told.len(), told[2].as_str()), (4, "/uuid/start\n"));
    assert!(told[3].starts_with("/uuid/fail\n") && told[3].contains("a check failed: SELECT count(*) = 2"), "{told:?}");
    assert!(!told[3].contains("Ada"), "{told:?}");
}

#[test]
fn all_databases_with_backups_are_drilled_and_one_that_fails_does_not_keep_the_others_from_it() {
    let server = Postgres::shared();
    let scene = Scene::on(server, "all one");
    let other = server.new_database("all two");
    other.query("CREATE TABLE t AS SELECT 1 AS id");
    let agent = |database| Agent::new().database(database).directory(scene.folder.path());
    agent(&other).run(&["backup"]).succeeds();
    let scene = scene.backed_up();
    let broken = std::fs::read_dir(scene.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let begins = catalog::encode_database(scene.database.name());
    let broken = broken.into_iter().find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(&begins) && name.ends_with(".sql.gz") && !name.contains("globals")
    });
    let bytes = std::fs::read(broken.as_ref().unwrap()).unwrap();
    std::fs::write(broken.unwrap(), &bytes[..bytes.len() - 9]).unwrap();
    let outcome = scene.agent.run(&["drill", "--all-databases", "--json"]).exits(4);
    let drills = outcome.json()["drills"].clone();
    let named = |drill: &serde_json::Value| drill["database"].as_str().unwrap().to_owned();
    let passed: Vec<(String, bool)> =
        drills.as_array().unwrap().iter().map(|drill| (named(drill), drill["passed"] == json!(true))).collect();
    assert_eq!(passed, [(scene.database.name().to_owned(), false), (other.name().to_owned(), true)], "{outcome}");
}

#[test]
fn a_look_at_a_temporary_server_says_which_one_it_would_be_and_how_much_room_there_is() {
    let scene = Scene::on(Postgres::shared(), "looked at").backed_up();
    let outcome = scene.agent.run(&["drill", "--temporary-server", "--dry-run", "--json"]).succeeds();
    let looked = only(&outcome);
    let version = format!("{}.", scene.database.server().installation().major());
    assert!(looked["version"].as_str().unwrap().starts_with(&version), "{outcome}");
    assert!(looked["neededBytes"].as_u64() > Some(64 << 20) && looked["freeBytes"].as_u64() > Some(0), "{outcome}");
    let words = scene.agent.run(&["drill", "--temporary-server", "--dry-run"]).succeeds();
    words.mentions(&scene.temporary.path().display().to_string()).mentions("needed, ").mentions("(PostgreSQL ");
    assert!(scene.is_clean());
}

#[test]
fn rows_of_insert_statements_are_counted_and_compared_whatever_lines_their_values_have() {
    let scene = Scene::on(Postgres::shared(), "inserted");
    scene.database.query(
        "CREATE TABLE t (id integer, note text); INSERT INTO t SELECT n, E'line\\n' || n || E';\\n''q''' FROM generate_series(1, 12) n;
         UPDATE t SET note = note || 'x' WHERE id % 3 = 0; DELETE FROM t WHERE id = 4; CREATE TABLE bare ();
         INSERT INTO bare DEFAULT VALUES; CREATE TABLE par (a integer, b text); CREATE TABLE chi (b text, a integer);
         ALTER TABLE chi INHERIT par; INSERT INTO chi VALUES ('x', 1)",
    );
    let scene = scene.with("BACKUP_PG_DUMP_OPTIONS", "--column-inserts --rows-per-insert=5").backed_up();
    let outcome = scene.agent.run(&["drill", "--json"]).succeeds();
    let drill = only(&outcome);
    assert_eq!((&drill["compared"]["tables"], &drill["compared"]["rows"]), (&json!(4), &json!(13)), "{outcome}");
    assert_eq!(drill["uncompared"], json!([]), "{outcome}");
}
