//! An archive that somebody else made: what it says never runs on this machine.

use std::path::Path;

use e2e::postgres::Database;

use super::{Scene, script};

/// Stands in the database where the archive's attack will, and is as long.
const ROOM: usize = 160;

/// A dump whose text `placeholder` has become `attack`, filled up with spaces: no length in it changes.
fn forged(database: &Database<'_>, attack: &str) -> Vec<u8> {
    let mut archive = database.dump(&["-Fc", "-Z0"]);
    let placeholder = placeholder();
    let attack = format!("{attack:ROOM$}");
    assert_eq!(attack.len(), ROOM);
    let at = archive.windows(ROOM).position(|bytes| bytes == placeholder.as_bytes()).unwrap();
    archive[at..at + ROOM].copy_from_slice(attack.as_bytes());
    archive
}

fn placeholder() -> String {
    "x".repeat(ROOM)
}

/// Commands of psql's that leave a file, after whatever may have begun before them.
fn attack(trace: &Path) -> String {
    format!("'\n;\\! touch {}\n;'", trace.display())
}

#[test]
fn settings_of_the_database_are_no_commands_of_psqls() {
    let scene = Scene::new("settings");
    scene.database.query(&format!(
        "ALTER DATABASE {} SET \"my.setting\" = '{}'; CREATE TABLE t (id integer)",
        scene.database.name(),
        placeholder()
    ));
    let (folder, trace) = (tempfile::tempdir().unwrap(), scene.folder.path().join("trace"));
    let file = folder.path().join("forged.dump");
    std::fs::write(&file, forged(&scene.database, &attack(&trace))).unwrap();
    // As after a loss: the name is free.
    scene.database.server().query(&format!("DROP DATABASE {}", scene.database.name()));
    let run = scene.agent.run(&["restore", "--backup-file", file.to_str().unwrap(), "--confirm"]);
    assert!(!trace.exists(), "{run}");
    run.succeeds().mentions("was left out");
    assert_eq!(scene.rows(), "0");
}

#[test]
fn options_of_the_database_are_no_commands_of_psqls() {
    // The name stands in CREATE DATABASE, whose rest is forged.
    let scene = Scene::new("options");
    let folder = tempfile::tempdir().unwrap();
    let mut archive = scene.database.dump(&["-Fc", "-Z0"]);
    let rest = b" ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C.UTF-8';";
    let at = archive.windows(rest.len()).position(|bytes| bytes == rest).unwrap();
    // A short path: there is little room.
    let trace = Path::new("/tmp").join(format!("trace{}", std::process::id()));
    let attack = format!("{:1$}", format!("\n;\\! touch {}\n", trace.display()), rest.len());
    assert_eq!(attack.len(), rest.len());
    archive[at..at + rest.len()].copy_from_slice(attack.as_bytes());
    let file = folder.path().join("forged.dump");
    std::fs::write(&file, archive).unwrap();
    let other = scene.database.server().database(&format!("{}_copy", scene.database.name()));
    let run = ["restore", "--backup-file", file.to_str().unwrap(), "--into", other.name(), "--confirm"];
    let run = scene.agent.run(&run);
    assert!(std::fs::remove_file(&trace).is_err(), "{run}");
    run.succeeds();
}

#[test]
fn definitions_are_no_commands_of_psqls_in_place() {
    let scene = Scene::new("definitions");
    scene.database.query(&format!("CREATE TABLE t (id integer); COMMENT ON TABLE t IS '{}'", placeholder()));
    let (folder, trace) = (tempfile::tempdir().unwrap(), scene.folder.path().join("trace"));
    let file = folder.path().join("forged.dump");
    std::fs::write(&file, forged(&scene.database, &attack(&trace))).unwrap();
    let run = ["restore", "--backup-file", file.to_str().unwrap(), "--in-place", "--skip-backup", "--confirm"];
    let outcome = scene.agent.run(&run);
    assert!(!trace.exists(), "{outcome}");
    outcome.exits(1).mentions("restricted");
    assert_eq!(scene.rows(), "0");
    // As pg_restore was before it learned to forbid them.
    let programs = tempfile::tempdir().unwrap();
    let real = scene.database.server().installation().programs().join("pg_restore");
    script(
        programs.path(),
        "pg_restore",
        &format!("{} \"$@\" | sed '/^.\\(un\\)\\{{0,1\\}}restrict /d'", real.display()),
    );
    let agent = scene.agent.programs_in(programs.path());
    let outcome = agent.run(&run);
    assert!(!trace.exists(), "{outcome}");
    outcome.exits(1).mentions("CVE-2025-8714").mentions("without --in-place");
    // Of one's own making, at three in the morning, with whatever pg_restore there is.
    scene.database.query("COMMENT ON TABLE t IS 'harmless'");
    std::fs::write(&file, scene.database.dump(&["-Fc"])).unwrap();
    scene.database.query("INSERT INTO t VALUES (1)");
    agent.run(&run).exits(1);
    agent.run(&[&run[..], &["--trust-archive"]].concat()).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM t"), "0");
}

#[test]
fn nothing_that_is_said_commands_a_terminal() {
    let scene = Scene::new("terminal");
    scene.database.query(
        "CREATE FUNCTION is_at_home() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            IF current_database() LIKE '%\\_restoring\\_%' THEN RAISE EXCEPTION E'\\x1b[2J gone'; END IF;
            RETURN true; END $$;
         CREATE TABLE t (id integer CHECK (is_at_home())); INSERT INTO t VALUES (1)",
    );
    scene.agent.run(&["backup"]).succeeds();
    let run = scene.agent.run(&["restore", "latest", "--confirm"]);
    run.exits(1).mentions("\\u{1b}[2J gone").keeps_silent_about("\u{1b}");
}
