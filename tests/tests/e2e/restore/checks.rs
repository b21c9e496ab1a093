//! `RESTORE_CHECKS`: the user's own queries, which have to return true before the restored database takes the name.

use e2e::postgres::PASSWORD;

use super::Scene;

const RESTORE: [&str; 3] = ["restore", "latest", "--confirm"];

/// A name in the rows, which no message may show.
const PERSON: &str = "Ada Lovelace";

/// A database of a role that is no superuser, with a table in a schema that only the database's own search_path finds.
fn scene(name: &str) -> Scene<'static> {
    let scene = Scene::new(name);
    let (database, role) = (scene.database.name().to_owned(), format!("{name} \"Größe\" {}", std::process::id()));
    let quoted = format!("\"{}\"", role.replace('"', "\"\""));
    scene.database.query(&format!(
        "CREATE ROLE {quoted} LOGIN CREATEDB PASSWORD '{}'; ALTER DATABASE {database} OWNER TO {quoted}; SET ROLE {quoted};
         CREATE SCHEMA \"Läden\"; CREATE TABLE \"Läden\".people (id integer, name text);
         INSERT INTO \"Läden\".people VALUES (1, '{PERSON}'), (2, NULL)",
        PASSWORD.replace('\'', "''")
    ));
    scene.database.query(&format!("ALTER DATABASE {database} SET search_path = \"Läden\", public"));
    let scene = scene.with("DB_USER", &role);
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("INSERT INTO people VALUES (3, 'after the backup')");
    scene
}

#[test]
fn a_check_that_does_not_return_true_keeps_the_live_database() {
    let failing = [
        ("SELECT count(*) > 3 FROM people", "returned f"),
        ("SELECT NULL::boolean", "returned NULL"),
        ("SELECT true FROM people WHERE id = 7", "returned no row"),
        ("SELECT true FROM people", "returned more than one row"),
        ("SELECT true AS a, true AS a", "returned 2 columns"),
        ("SELECT count(*) FROM people", "neither true nor false"),
        ("SELECT name FROM people WHERE id = 1", "neither true nor false"),
        ("SELECT true FROM nobody", "relation \"nobody\" does not exist (42P01)"),
        ("SELECT name::integer > 0 FROM people WHERE id = 1", "error 22P02"),
        ("SELECT 1 / (id - 1) > 0 FROM people WHERE id = 1", "error 22012"),
        ("DELETE FROM people", "failed: "),
        ("COMMIT", "failed: "),
        ("SELECT nextval('numbers') > 0", "cannot execute nextval() in a read-only transaction"),
        ("SET statement_timeout = '100ms'", ""),
        ("SELECT pg_sleep(60) IS NOT NULL", "was cancelled"),
    ];
    let scene = scene("fails_checks");
    scene.database.query("CREATE SEQUENCE numbers");
    let owner = "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database()";
    let owner = scene.database.query(owner);
    scene.database.query(&format!("ALTER SEQUENCE numbers OWNER TO {owner}"));
    scene.agent.run(&["backup", "--name", "three"]).succeeds();
    scene.database.query("DELETE FROM people WHERE id = 3");
    let checks: String = failing.iter().map(|(query, _)| format!("{query};\n")).collect();
    let scene = scene.with("RESTORE_CHECKS", &format!("SELECT true; {checks} SELECT count(*) = 3 FROM people"));
    for way in [&RESTORE[..], &["restore", "latest", "--confirm", "--in-place", "--skip-backup"]] {
        let mut run = scene
            .agent
            .run(way)
            .exits(1)
            .mentions("does not pass RESTORE_CHECKS: `SELECT count(*) > 3 FROM people` returned f")
            .mentions("--skip-checks");
        for (query, answer) in failing.iter().filter(|(_, answer)| !answer.is_empty()) {
            run = run.mentions(&format!("`{query}` ")).mentions(answer);
        }
        run.keeps_silent_about(PERSON).keeps_silent_about("`SELECT count(*) = 3 FROM people`");
        assert_eq!(scene.database.query("SELECT count(*) FROM people"), "2", "{way:?}");
        assert_eq!(scene.beside(), Vec::<String>::new(), "{way:?}");
    }
    scene.agent.run(&[&RESTORE[..], &["--skip-checks"]].concat()).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM people"), "3");
}

#[test]
fn checks_see_the_restored_rows_as_an_application_would() {
    let scene = scene("passes_checks");
    let file = scene.agent.home().join("prüfungen.sql");
    std::fs::write(
        &file,
        "-- people; by id\nSELECT count(*) = 2 FROM people;\nSELECT ';' = $$;$$ /* ; */;\n\
         SELECT NOT exists(SELECT FROM people WHERE id = 3);\nSET \"app.tenant\" = 'Größe; 7';\n\
         SELECT current_setting('app.tenant') = 'Größe; 7';\nVALUES (current_user = session_user);\n\
         WITH x AS (SELECT 1 AS one) SELECT one = 1 FROM x -- the end\n",
    )
    .unwrap();
    let scene = scene.with("RESTORE_CHECKS", &format!("@{}", file.display()));
    // Whom the limit keeps out, it keeps out of the database that takes the name.
    scene.database.query(&format!("ALTER DATABASE {} CONNECTION LIMIT 1", scene.database.name()));
    scene
        .agent
        .run(&["restore", "latest", "--dry-run"])
        .succeeds()
        .mentions("check     VALUES (current_user = session_user)")
        .keeps_silent_about("check     SET");
    for way in [&RESTORE[..], &["restore", "latest", "--confirm", "--in-place", "--skip-backup"]] {
        scene.agent.run(way).succeeds().mentions("6 checks of RESTORE_CHECKS passed");
        assert_eq!(scene.database.query("SELECT count(*) FROM people"), "2");
    }
    // A file that is missing stops a restore before it has begun, and no backup.
    std::fs::remove_file(&file).unwrap();
    scene.agent.run(&RESTORE).exits(2).mentions("cannot use RESTORE_CHECKS: ").mentions("--skip-checks");
    scene.agent.run(&["backup", "--name", "still"]).succeeds();
    scene.agent.run(&["restore", "--undo", "--dry-run"]).succeeds();
    let scene = scene.with("RESTORE_CHECKS", "SELECT 'never closed");
    scene.agent.run(&RESTORE).exits(2).mentions("a quote or a comment is not closed");
}
