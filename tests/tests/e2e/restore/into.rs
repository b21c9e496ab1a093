//! `--into`: beside the living database, which isn't touched.

use super::Scene;

#[test]
fn another_database_is_made_and_the_living_one_stays() {
    let scene = Scene::backed_up("source").with("RESTORE_STOP_COMMAND", "exit 9");
    let other = format!("{}-other one", scene.database.name());
    scene.agent.run(&["restore", "latest", "--into", &other, "--confirm"]).succeeds();
    let other = scene.database.server().database(&other);
    assert_eq!((other.query("SELECT count(*) FROM t"), scene.rows()), ("100".into(), "10".into()));
    // It isn't empty any more.
    let again = scene.agent.run(&["restore", "latest", "--into", other.name(), "--confirm"]);
    again.exits(1).mentions("isn't empty");
}

#[test]
fn an_empty_database_is_filled_and_leaves_no_old_one() {
    let scene = Scene::backed_up("source");
    let other = scene.database.server().new_database("empty");
    scene.agent.run(&["restore", "latest", "--into", other.name(), "--confirm"]).succeeds();
    assert_eq!(other.query("SELECT count(*) FROM t"), "100");
    let left =
        scene.database.server().databases().into_iter().filter(|name| name.starts_with(&format!("{}_", other.name())));
    assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn one_table_comes_with_its_rows_and_everything_it_needs() {
    let scene = Scene::new("tables");
    scene.database.query(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE SCHEMA s;
         CREATE TABLE parents (id integer PRIMARY KEY); INSERT INTO parents VALUES (1);
         CREATE TABLE s.t (id integer PRIMARY KEY REFERENCES parents, m mood); INSERT INTO s.t VALUES (1, 'ok');
         CREATE TABLE t (id integer); INSERT INTO t VALUES (7); SELECT lo_create(4711)",
    );
    scene.agent.run(&["backup"]).succeeds();
    let rescue = scene.database.server().database(&format!("{}_rescue", scene.database.name()));
    let run = ["restore", "latest", "--table", "s.t", "--into", rescue.name(), "--confirm"];
    scene.agent.run(&run).succeeds().mentions("s.t alone");
    let counts =
        "SELECT (SELECT count(*) FROM s.t WHERE m = 'ok'), (SELECT count(*) FROM t), (SELECT count(*) FROM parents)";
    assert_eq!(rescue.query(counts), "1|0|0");
    let missing = ["restore", "latest", "--table", "s.absent", "--into", "x", "--confirm"];
    scene.agent.run(&missing).exits(5).mentions("no table s.absent");
}

#[test]
fn a_database_with_anything_in_it_is_not_taken_for_empty() {
    let scene = Scene::backed_up("source");
    for object in [
        "SELECT lo_create(4711)",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS one",
        "CREATE SEQUENCE s",
        "CREATE SCHEMA lonely",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN several AS integer[]",
        "CREATE FOREIGN DATA WRAPPER w",
        "CREATE TEXT SEARCH CONFIGURATION words (COPY = english)",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    ] {
        let other = scene.database.server().new_database("taken");
        other.query(object);
        let run = scene.agent.run(&["restore", "latest", "--into", other.name(), "--confirm"]);
        assert_eq!(run.code, Some(1), "{object}: {run}");
        run.mentions("isn't empty");
    }
}

#[test]
fn a_database_that_is_filled_during_the_restore_stays_under_the_name_that_was_promised() {
    let scene = Scene::backed_up("source");
    let other = scene.database.server().new_database("filled");
    // While the new database is filled, somebody fills the one that has the name.
    let programs = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().join("pg_restore");
    let body = format!(
        "case \"$*\" in *--exit-on-error*) psql -d {} -XAtc 'CREATE TABLE precious AS SELECT 1 AS one' >&2;; esac; exec {} \"$@\"",
        other.name(),
        real.display()
    );
    super::script(programs.path(), "pg_restore", &body);
    let port = scene.database.server().port().to_string();
    let agent = scene.agent.setting("PGHOST", "127.0.0.1").setting("PGPORT", port).setting("PGUSER", "postgres");
    let agent = agent.setting("PGPASSWORD", e2e::postgres::PASSWORD).programs_in(programs.path());
    let run = agent.run(&["restore", "latest", "--into", other.name(), "--confirm"]).succeeds().mentions("isn't empty");
    let stays = |line: &str| Some(line.split_once("the old database stays as ")?.1.split(';').next()?.to_owned());
    let old = run.stdout.lines().find_map(stays).unwrap();
    let old = scene.database.server().database(&old);
    assert_eq!(
        (other.query("SELECT count(*) FROM t"), old.query("SELECT count(*) FROM precious")),
        ("100".into(), "1".into())
    );
}
