//! More locks in one transaction than the server has room for: refused, with the setting that gives it room.

use e2e::postgres::{Installation, Postgres};

use super::Scene;

/// A server that is set to hold few locks, or as many as a hint says.
fn server(installation: Installation, locks: &str) -> Postgres {
    Postgres::start_with(installation, &[&format!("max_locks_per_transaction={locks}"), "max_connections=20"])
}

fn with_many_tables<'a>(server: &'a Postgres) -> Scene<'a> {
    let scene = Scene::on(server, "crowded");
    scene.database.query(
        "DO $$ BEGIN FOR n IN 1 .. 300 LOOP EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, word text)', n); COMMIT; END LOOP; END $$",
    );
    scene.agent.run(&["backup"]).succeeds();
    scene
}

#[test]
fn with_the_setting_of_the_hint_the_locks_suffice() {
    for installation in [Installation::debian(), Installation::eighteen()] {
        let small = server(installation.clone(), "10");
        let scene = with_many_tables(&small);
        let run = scene.agent.run(&["restore", "latest", "--in-place", "--dry-run"]);
        let run = run.exits(1).mentions("a restore in place would fail: it takes at least").mentions("by swap");
        let (_, setting) = run.stderr.split_once("ALTER SYSTEM SET max_locks_per_transaction = ").unwrap();
        let setting = setting.split(',').next().unwrap();
        // As it would without us.
        scene.database.query(
            "DO $$ BEGIN FOR n IN 1 .. 300 LOOP EXECUTE format('DROP TABLE t%s', n);
                EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, word text)', n); END LOOP; RAISE 'it works by hand';
                EXCEPTION WHEN out_of_memory THEN NULL; END $$",
        );
        scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
        scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
        let large = server(installation, setting);
        let scene = with_many_tables(&large);
        scene
            .agent
            .run(&["restore", "latest", "--in-place", "--confirm"])
            .succeeds()
            .keeps_silent_about("locks are needed");
    }
}
