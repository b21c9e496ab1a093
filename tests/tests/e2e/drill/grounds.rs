//! The three kinds of server that a drill restores onto, and what it asks of them.

use e2e::postgres::{PASSWORD, Postgres};

use super::{Scene, only};

#[test]
fn every_kind_of_object_is_found_equal_on_each_kind_of_server() {
    let server = Postgres::shared();
    let scene = Scene::on(server, "drilled");
    scene.database.fill_with_everything();
    let scene = scene.backed_up();
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port());
    for (arguments, kind) in [
        (vec!["drill", "latest", "--json"], "settings"),
        (vec!["drill", "--json", "--server", &url], "other"),
        (vec!["drill", "--json", "--temporary-server"], "temporary"),
    ] {
        let outcome = scene.agent.run(&arguments);
        let drill = only(&outcome);
        assert_eq!(drill["differences"], serde_json::json!([]), "{kind}\n{outcome}");
        outcome.succeeds();
        assert_eq!(drill["server"]["kind"], kind);
        assert!(drill["compared"]["definitions"].as_u64().unwrap() > 100, "{drill}");
        assert!(scene.is_clean(), "{kind}");
        let (beside, status) = scene.recorded();
        assert_eq!((&beside, &status["last"], &status["lastPassed"]), (&drill, &drill, &drill["finished"]));
    }
}

#[test]
fn what_postgresql_says_in_other_words_is_known_by_name_and_taken_once_more_to_be_sure() {
    let scene = Scene::on(Postgres::shared(), "rewritten");
    scene.database.load(&e2e::tools::root().join("tests/sql/rewritten.sql"), &[]);
    let scene = scene.backed_up();
    let outcome =
        scene.agent.run(&["drill"]).succeeds().mentions("PASSED").mentions("taking the definitions once more");
    let outcome = outcome.mentions("lists of values in PostgreSQL's other words").mentions("domain public.short");
    let mut outcome = outcome.mentions("the same rows, in other partitions by hash: public.by_hue");
    for said in
        ["columns of child tables", "columns of statistics", "columns of publications", "names of values in subqueries"]
    {
        outcome = outcome.mentions(&format!("in its way    {said} in "));
    }
    assert!(scene.is_clean());
}

#[test]
fn a_role_that_may_create_databases_drills_its_own_and_another_is_told_what_to_do() {
    let scene = Scene::on(Postgres::shared(), "own größe");
    let role = format!("drills {}", std::process::id());
    let name = scene.database.name().to_owned();
    scene.database.query(&format!(
        "CREATE ROLE \"{role}\" LOGIN PASSWORD '{}'; ALTER DATABASE \"{name}\" OWNER TO \"{role}\"; SET ROLE \"{role}\";
         CREATE SCHEMA \"Läden 100%\"; CREATE TABLE \"Läden 100%\".\"o'k\" (id serial, kind text CHECK (kind IN ('a', 'b')));
         INSERT INTO \"Läden 100%\".\"o'k\" (kind) VALUES ('a'), ('b'); ALTER DATABASE \"{name}\" SET work_mem = '7MB'",
        PASSWORD.replace('\'', "''")
    ));
    let scene = Scene { agent: scene.agent.setting("DB_USER", &role), ..scene }.backed_up();
    let refused = scene.agent.run(&["drill"]).exits(1).mentions("may not create one");
    refused.mentions(&format!("ALTER ROLE \"{role}\" CREATEDB"));
    assert_eq!(scene.recorded().0["passed"], false, "a drill that could not be carried out is written down");
    scene.database.query(&format!("ALTER ROLE \"{role}\" CREATEDB"));
    let rehearsed = scene.agent.run(&["drill", "--dry-run"]).succeeds();
    rehearsed.mentions(&format!("as {name}_drill_"));
    let outcome = scene.agent.run(&["drill", "--json"]).succeeds();
    assert_eq!(only(&outcome)["compared"]["rows"], 2, "{outcome}");
    scene.agent.run(&["drill", "--json", "--temporary-server"]).succeeds();
    assert!(scene.is_clean());
}

#[test]
fn a_password_that_is_typed_is_refused_with_other_ways() {
    let scene = Scene::on(Postgres::shared(), "typed");
    let scene = scene.backed_up();
    let url = format!("postgresql://postgres:hush@127.0.0.1:{}/postgres", scene.database.server().port());
    let outcome =
        scene.agent.run(&["drill", "--server", &url]).exits(2).mentions("PGPASSWORD").keeps_silent_about("hush");
    outcome.mentions("BACKUP_DRILL_SERVER");
    let url = scene.database.url();
    let scene = scene.with("BACKUP_DRILL_SERVER", &url);
    let outcome = scene.agent.run(&["drill", "--json"]).succeeds();
    assert_eq!(only(&outcome)["server"]["kind"], "other");
    let scene = scene.with("BACKUP_DRILL_SERVER", "temporary");
    let outcome = scene.agent.run(&["drill", "--json"]).succeeds();
    assert_eq!(only(&outcome)["server"]["kind"], "temporary");
}

#[test]
fn a_disk_without_room_is_left_alone() {
    let scene = Scene::on(Postgres::shared(), "large").backed_up();
    let manifest = std::fs::read_dir(scene.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifest.into_iter().find(|path| path.to_string_lossy().ends_with(".manifest.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    document["database"]["size"] = (1_u64 << 50).into();
    std::fs::write(&manifest, document.to_string()).unwrap();
    scene.agent.run(&["drill"]).exits(1).mentions("would fill the server's disk").mentions("--temporary-server");
    for look in [&["drill", "--temporary-server"][..], &["drill", "--temporary-server", "--dry-run"]] {
        let refused = scene.agent.run(look).exits(1).mentions("a drill would fill the folder of temporary files");
        refused.mentions("TMPDIR=").keeps_silent_about("starting a temporary server");
    }
    assert!(scene.is_clean());
}
