//! What the role may not read: named before anything starts, with statements after which it works.

use e2e::agent::Outcome;
use e2e::postgres::{Installation, PASSWORD, Postgres};

use super::Scene;

/// Tables, sequences and large objects of others, a closed schema, and row security; and around them what no dump asks for.
const CONTENT: &str = r#"
    CREATE TABLE secret AS SELECT generate_series(1, 3) AS id;
    CREATE SCHEMA "Closed room"; CREATE TABLE "Closed room".t (id serial); INSERT INTO "Closed room".t DEFAULT VALUES;
    GRANT SELECT ON ALL TABLES IN SCHEMA "Closed room" TO ROLE;
    CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
    CREATE SEQUENCE numbers; CREATE SEQUENCE shared; GRANT SELECT ON SEQUENCE shared TO ROLE;
    CREATE TABLE guarded (id int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; GRANT SELECT ON guarded TO ROLE;
    SELECT lo_from_bytea(4711, 'one'); SELECT lo_from_bytea(4712, 'two'); GRANT SELECT ON LARGE OBJECT 4712 TO ROLE;
    CREATE VIEW v AS SELECT * FROM secret; CREATE MATERIALIZED VIEW m AS SELECT * FROM secret;
    CREATE EXTENSION citext; CREATE TABLE member (id int); ALTER EXTENSION citext ADD TABLE member;
"#;

/// As psql runs it that is given the hint's statements.
fn follow(scene: &Scene<'_>, run: &Outcome) {
    let hint = run.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap();
    let (_, statements) = hint.split_once("as a superuser: ").unwrap_or_else(|| panic!("no statement\n{run}"));
    scene.database.query(statements);
}

fn unreadable<'a>(server: &'a Postgres, name: &str) -> (Scene<'a>, String) {
    let scene = Scene::on(server, name);
    let role = format!("{}_dumper", scene.database.name());
    server.query(&format!("CREATE ROLE {role} LOGIN PASSWORD '{}'", PASSWORD.replace('\'', "''")));
    scene.database.query(&CONTENT.replace("ROLE;", &format!("{role};")));
    (scene, role)
}

fn remove(scene: &Scene<'_>, role: &str) {
    scene.database.query(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"));
}

#[test]
fn a_backup_works_after_the_statements_of_its_hint() {
    let eighteen = Postgres::start(Installation::eighteen());
    for server in [Postgres::shared(), &eighteen] {
        let (scene, role) = unreadable(server, "dumped");
        let scene = scene.with("DB_USER", &role);
        let run = scene.agent.run(&["backup"]).exits(1).mentions("GRANT pg_read_all_data TO").mentions("BYPASSRLS");
        let run = run.mentions("GRANT SELECT ON LARGE OBJECT 4711 TO").keeps_silent_about("4712");
        follow(&scene, &run);
        scene.agent.run(&["backup", "--name", "first"]).succeeds();
        // More large objects than a hint has room for; that role can read all tables by now.
        scene.database.query("SELECT lo_create(n) FROM generate_series(5001, 5020) n");
        let run = scene.agent.run(&["backup"]).exits(1).mentions("large object 5001").mentions("and 17 more");
        follow(&scene, &run.keeps_silent_about("pg_read_all_data"));
        scene.agent.run(&["backup", "--name", "second"]).succeeds();
        remove(&scene, &role);
    }
}

#[test]
fn a_restore_in_place_names_beforehand_what_its_safety_backup_would_fail_at() {
    let server = Postgres::shared();
    let (scene, role) = unreadable(server, "safe");
    let own = format!("SET ROLE {role}; CREATE TABLE own AS SELECT 1 AS id");
    scene.database.query(&format!("GRANT CREATE ON SCHEMA public TO {role}; {own}"));
    let file = scene.folder.path().join("own.dump");
    std::fs::write(&file, scene.database.dump(&["-Fc", "--table=own"])).unwrap();
    let stopped = scene.folder.path().join("stopped");
    let scene = scene.with("DB_USER", &role).with("RESTORE_STOP_COMMAND", &format!("touch {}", stopped.display()));
    let agent = &scene.agent;
    let restore = ["restore", "--backup-file", file.to_str().unwrap(), "--in-place"];
    let run = |last: &str| agent.run(&[&restore[..], &[last]].concat());
    for last in ["--dry-run", "--confirm"] {
        let run = run(last).exits(1).mentions("no safety backup can be made").mentions("--skip-backup");
        let run = run.mentions("table public.secret").mentions("schema \"Closed room\"");
        run.mentions("GRANT SELECT ON TABLE").keeps_silent_about("pg_read_all_data");
    }
    assert!(!stopped.exists());
    for last in ["--dry-run", "--confirm"] {
        agent.run(&[&restore[..], &["--skip-backup", last]].concat()).succeeds();
    }
    std::fs::remove_file(&stopped).unwrap();
    follow(&scene, &run("--dry-run"));
    run("--dry-run").succeeds();
    run("--confirm").succeeds().mentions("to go back: lastgood restore");
    assert!(stopped.exists());
    remove(&scene, &role);
}
