//! In place: the safety backup, what is left standing, what stands in the way, and who is sent this way unasked.

use e2e::postgres::PASSWORD;

use super::Scene;

const IN_PLACE: [&str; 4] = ["restore", "latest", "--in-place", "--confirm"];

#[test]
fn the_safety_backup_undoes_the_restore() {
    let scene = Scene::backed_up("safety");
    let run = scene.agent.run(&IN_PLACE).succeeds().mentions("to go back: lastgood restore");
    assert_eq!(scene.rows(), "100");
    let back =
        run.stdout.lines().find_map(|line| line.split("to go back: lastgood restore ").nth(1)).unwrap().to_owned();
    scene
        .agent
        .run(&["restore", &back, "--in-place", "--skip-backup", "--confirm"])
        .succeeds()
        .mentions("no safety backup");
    assert_eq!(scene.rows(), "10");
    // It isn't what `latest` means.
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "100");
}

#[test]
fn the_safety_backup_has_what_services_wrote_last() {
    let scene = Scene::backed_up("last_words");
    let last = format!("psql -d {} -X -q -c 'INSERT INTO t VALUES (4711)'", scene.database.name());
    let agent = scene
        .agent
        .setting("RESTORE_STOP_COMMAND", last)
        .setting("PGHOST", "127.0.0.1")
        .setting("PGPORT", scene.database.server().port().to_string())
        .setting("PGUSER", "postgres")
        .setting("PGPASSWORD", PASSWORD);
    let run = agent.run(&IN_PLACE).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "100");
    let back = run.stdout.lines().find_map(|line| line.split("to go back: lastgood restore ").nth(1)).unwrap();
    agent.run(&["restore", back, "--skip-services", "--confirm"]).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM t WHERE id = 4711"), "1");
}

#[test]
fn without_a_safety_backup_nothing_is_replaced() {
    let scene = Scene::backed_up("unsafe");
    // The newest backup is in a folder of its own; the safety backup's folder can't be made.
    let file = scene.file(".sql.gz").display().to_string();
    let agent = scene.agent.setting("BACKUP_DIR", "/proc/nowhere");
    let run = agent.run(&["restore", "--backup-file", &file, "--in-place", "--confirm"]);
    run.exits(1).mentions("no safety backup could be made, so nothing was restored");
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "10");
}

#[test]
fn newer_tables_are_left_standing_and_named_beforehand() {
    let scene = Scene::backed_up("standing");
    scene.database.query("CREATE TABLE newer (id integer)");
    scene
        .agent
        .run(&["restore", "latest", "--in-place", "--dry-run"])
        .succeeds()
        .mentions("stay as they are")
        .mentions("public.newer");
    scene.agent.run(&IN_PLACE).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM newer"), "0");
}

#[test]
fn what_depends_on_what_is_replaced_is_named_before_anything_starts() {
    let scene = Scene::backed_up("depended");
    for (object, name) in [
        ("CREATE VIEW v AS SELECT id FROM t", "VIEW v"),
        ("CREATE MATERIALIZED VIEW m AS SELECT id FROM t", "MATERIALIZED VIEW m"),
        ("CREATE TABLE f (id integer REFERENCES t)", "TABLE f"),
        ("CREATE TABLE c () INHERITS (t)", "TABLE c"),
    ] {
        scene.database.query(object);
        let run = scene.agent.run(&IN_PLACE);
        run.exits(1).mentions("depends on public.t").keeps_silent_about("safety backup of");
        scene.database.query(&format!("DROP {name}"));
    }
    scene.agent.run(&IN_PLACE).succeeds();
}

#[test]
fn a_role_that_may_not_create_databases_restores_in_place_and_is_told_so() {
    let scene = Scene::new("modest");
    let name = scene.database.name().to_owned();
    let role = format!("{name}_owner");
    let admin = scene.database.server();
    admin.query(&format!("CREATE ROLE {role} LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    admin.query(&format!("ALTER DATABASE {name} OWNER TO {role}"));
    let scene = scene.with("DB_USER", &role);
    scene.database.query(&format!(
        "SET ROLE {role}; CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t WHERE id > 10");
    scene
        .agent
        .run(&["restore", "latest", "--dry-run"])
        .succeeds()
        .mentions("in place, because the role")
        .mentions("may not create databases");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "100");
    assert_eq!(scene.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), role);
    // Somebody else's table in the way is named before anything starts.
    scene.database.query("ALTER TABLE t OWNER TO postgres");
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(1).mentions("public.t belongs to postgres");
    assert_eq!(scene.rows(), "100");
    admin.query(&format!("ALTER DATABASE {name} OWNER TO postgres"));
    scene.database.query(&format!("DROP OWNED BY {role}"));
    admin.query(&format!("DROP ROLE {role}"));
}

#[test]
fn locks_that_will_not_suffice_are_named_beforehand_and_nothing_is_lost() {
    let settings = ["max_locks_per_transaction=10", "max_connections=10"];
    let server = e2e::postgres::Postgres::start_with(e2e::postgres::Installation::debian(), &settings);
    let scene = Scene::on(&server, "locks");
    for part in 0..8 {
        scene.database.query(&format!(
            "DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE t{part}_%s (id integer PRIMARY KEY, x text)', i); END LOOP; END $$"
        ));
    }
    let file = scene.folder.path().join("many.dump");
    // In pieces: pg_dump itself would run out of locks.
    std::fs::write(&file, scene.database.dump(&["-Fc", "--table=t0_*", "--table=t1_*", "--table=t2_*"])).unwrap();
    let run = ["restore", "--backup-file", file.to_str().unwrap(), "--in-place", "--skip-backup", "--confirm"];
    let outcome = scene.agent.run(&run).mentions("max_locks_per_transaction");
    assert!(outcome.code == Some(1) || outcome.code == Some(0), "{outcome}");
    assert_eq!(scene.database.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "320");
}
