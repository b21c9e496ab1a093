//! Every way to restore gives what plain `pg_dump -Fc | pg_restore` gives, byte for byte.

use std::process::Command;

use e2e::agent::Agent;
use e2e::postgres::{Database, Installation, Postgres};
use e2e::process::{output, output_given};

use super::Scene;

/// What plain tools make of a database, as SQL.
fn plainly_restored(source: &Database<'_>) -> String {
    let plain = source.server().new_database("plain");
    plain.restore(&source.dump(&["-Fc"]));
    plain.as_sql()
}

fn everything() -> (Scene<'static>, String) {
    let scene = Scene::new("everything");
    scene.database.fill_with_everything();
    let expected = plainly_restored(&scene.database);
    scene.agent.run(&["backup"]).succeeds();
    (scene, expected)
}

#[track_caller]
fn assert_same_sql(restored: &Database<'_>, expected: &str) {
    let sql = restored.as_sql();
    if sql != expected {
        let first = sql.lines().zip(expected.lines()).position(|(a, b)| a != b);
        let at = first.unwrap_or_else(|| sql.lines().count().min(expected.lines().count()));
        let shown = |text: &str| text.lines().skip(at.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
        panic!("differs from line {at} on:\n--- restored\n{}\n--- expected\n{}", shown(&sql), shown(expected));
    }
}

/// Tables that ANALYZE has passed over. Before version 14 an empty table doesn't tell.
fn without_statistics(database: &Database<'_>) -> String {
    database.query(
        "SELECT coalesce(string_agg(oid::regclass::text, ' '), '') FROM pg_class WHERE relkind IN ('r', 'm', 'p')
            AND relnamespace <> 'information_schema'::regnamespace AND reltuples < 0",
    )
}

#[test]
fn gunzip_and_pg_restore_need_nothing_of_ours() {
    let (scene, expected) = everything();
    let gunzip = output(Command::new("gunzip").arg("-c").arg(scene.file(".sql.gz")));
    assert!(gunzip.status.success());
    let other = scene.database.server().new_database("by_hand");
    other.restore(&gunzip.stdout);
    assert_same_sql(&other, &expected);
}

#[test]
fn a_swap_restores_every_kind_of_object() {
    let (scene, expected) = everything();
    scene.database.query("DROP SCHEMA app CASCADE; CREATE TABLE newer (id integer)");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().mentions("all checked").mentions("restore --undo");
    assert_same_sql(&scene.database, &expected);
    assert_eq!(without_statistics(&scene.database), "");
    let [old] = &scene.beside()[..] else { panic!("not one old database: {:?}", scene.beside()) };
    let old = scene.database.server().database(old);
    assert_eq!(old.query("SELECT count(*) FROM newer"), "0", "the old database stays as it was");
}

#[test]
fn a_restore_in_place_restores_every_kind_of_object() {
    let (scene, expected) = everything();
    scene.database.query("DROP TABLE app.\"Users\"; DELETE FROM public.users");
    scene.agent.run(&["restore", "latest", "--in-place", "--confirm"]).succeeds().mentions("pre_restore");
    assert_same_sql(&scene.database, &expected);
    assert_eq!(without_statistics(&scene.database), "");
    assert_eq!(scene.beside(), Vec::<String>::new());
}

#[test]
fn a_database_that_is_gone_is_made_again_from_a_file() {
    let scene = Scene::new("gone");
    scene.database.fill_with_megabytes(1);
    let expected = plainly_restored(&scene.database);
    scene.database.query(&format!("ALTER DATABASE {} SET work_mem = '7MB'", scene.database.name()));
    scene.agent.run(&["backup"]).succeeds();
    let admin = scene.database.server();
    admin.query(&format!("DROP DATABASE {} WITH (FORCE)", scene.database.name()));
    let file = scene.file(".sql.gz");
    scene.agent.run(&["restore", "--backup-file", file.to_str().unwrap(), "--confirm"]).succeeds();
    assert_same_sql(&scene.database, &expected);
    assert_eq!(scene.database.query("SHOW work_mem"), "7MB", "the archive's own settings of the database");
}

#[test]
fn what_the_scripts_of_others_left_is_restored() {
    let scene = Scene::new("guest");
    scene.database.fill_with_everything();
    let expected = plainly_restored(&scene.database);
    let archive = scene.database.dump(&["-Fc", "--compress=9"]);
    let misnamed = scene.folder.path().join(format!("{}_backup_20250120_030000.sql.gz", scene.database.name()));
    std::fs::write(&misnamed, &archive).unwrap();
    let wrapped = scene.folder.path().join("by-hand.dump.gz");
    std::fs::write(&wrapped, gzip(&archive)).unwrap();
    for file in [misnamed, wrapped] {
        scene.database.query("DROP SCHEMA app CASCADE");
        let run = ["restore", "--backup-file", file.to_str().unwrap(), "--confirm"];
        scene.agent.run(&run).succeeds().mentions("guest");
        assert_same_sql(&scene.database, &expected);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    output_given(&mut Command::new("gzip"), bytes).stdout
}

#[test]
fn several_jobs_restore_from_a_spool_of_which_nothing_is_left() {
    let scene = Scene::new("large");
    scene.database.fill_with_megabytes(3);
    let expected = plainly_restored(&scene.database);
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("TRUNCATE files");
    let spool = tempfile::tempdir().unwrap();
    let scene = scene.with("TMPDIR", spool.path().to_str().unwrap());
    scene.agent.run(&["restore", "latest", "--jobs", "3", "--confirm"]).succeeds().mentions("3 jobs");
    assert_same_sql(&scene.database, &expected);
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0, "the spool is gone");
    // It has no name, so an empty folder says little: that it would lie there is seen where it can't.
    let nowhere = spool.path().join("nowhere").display().to_string();
    let refused = scene.with("TMPDIR", &nowhere).agent.run(&["restore", "latest", "--jobs", "3", "--confirm"]).exits(1);
    refused.mentions(&format!("cannot write a temporary file in {nowhere}"));
}

#[test]
fn programs_side_by_side_restore_every_kind_of_object() {
    let (scene, expected) = everything();
    for jobs in ["2", "5", "64"] {
        scene.database.query("DROP SCHEMA app CASCADE; CREATE TABLE newer (id integer)");
        scene.agent.run(&["restore", "latest", "--jobs", jobs, "--confirm"]).succeeds().mentions("all checked");
        assert_same_sql(&scene.database, &expected);
        assert_eq!(without_statistics(&scene.database), "");
        scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
    }
}

#[test]
fn names_in_latin1_and_in_no_character_set_are_counted() {
    let server = Postgres::shared();
    for (encoding, name) in [("LATIN1", "U&'\\00e9t\\00e9'"), ("SQL_ASCII", "E'\\351t\\351'")] {
        let scene = Scene::new("encoding");
        let database = scene.database.name();
        let admin = server;
        admin.query(&format!("DROP DATABASE {database}"));
        admin.query(&format!("CREATE DATABASE {database} TEMPLATE template0 ENCODING {encoding} LOCALE 'C'"));
        scene.database.query(&format!("DO $$ BEGIN EXECUTE format('CREATE TABLE %I (id integer)', {name}); EXECUTE format('INSERT INTO %I VALUES (1), (2)', {name}); END $$"));
        scene.agent.run(&["backup"]).succeeds();
        for way in [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place"]] {
            scene.database.query(&format!("DO $$ BEGIN EXECUTE format('DELETE FROM %I', {name}); END $$"));
            scene.agent.run(way).succeeds().mentions("2 rows");
        }
        let encoding_now = scene.database.query("SHOW server_encoding");
        assert_eq!(encoding_now, encoding);
    }
}

#[test]
fn every_server_version_restores_its_own_backup_each_way() {
    for installation in [Installation::sixteen(), Installation::eighteen()] {
        let major = installation.major();
        let server = Postgres::start(installation);
        let scene = Scene::on(&server, "versions");
        scene.database.fill_with_megabytes(1);
        let expected = plainly_restored(&scene.database);
        scene.agent.run(&["backup"]).succeeds();
        for way in [&[][..], &["--jobs", "2"], &["--in-place"]] {
            scene.database.query("TRUNCATE users CASCADE");
            scene.agent.run(&[&["restore", "latest", "--confirm"], way].concat()).succeeds();
            assert_eq!(scene.database.as_sql(), expected, "PostgreSQL {major}");
        }
    }
}

#[test]
fn client_programs_newer_than_the_server_restore_both_ways() {
    let scene = Scene::new("newer_clients");
    scene.database.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (2); SELECT lo_from_bytea(4712, 'x')");
    let programs = Installation::eighteen().programs().display().to_string();
    let scene = scene.with("PG_BIN_DIR", &programs);
    scene.agent.run(&["backup"]).succeeds();
    for way in [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place"]] {
        scene.database.query("DELETE FROM t; SELECT lo_unlink(4712)");
        scene.agent.run(way).succeeds().mentions("pg_dump 18.");
        assert_eq!(scene.rows(), "2");
        assert_eq!(scene.database.query("SELECT lo_get(4712)"), "\\x78");
    }
}

#[test]
fn names_that_need_every_quote_and_have_no_room_left_are_restored() {
    for name in [r#"a "b" 'c' \d =e "#, "n23456789_123456789_123456789_123456789_123456789_123456789_123"] {
        let database = Postgres::shared().new_database_named(name);
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent::new().database(&database).directory(folder.path());
        database.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (2)");
        agent.run(&["backup"]).succeeds();
        for way in [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place"]] {
            database.query("DELETE FROM t");
            agent.run(way).succeeds();
            assert_eq!(database.query("SELECT count(*) FROM t"), "2");
        }
        agent.run(&["restore", "--drop-old", "--confirm"]).succeeds().mentions("dropped 1 old database");
    }
}

#[test]
fn an_archive_newer_than_every_pg_restore_is_refused_with_both_versions_and_the_package() {
    let server = Postgres::start(Installation::eighteen());
    let source = server.new_database("newer");
    source.query("CREATE TABLE t (id integer)");
    let scene = Scene::new("older");
    let file = scene.folder.path().join("newer.dump");
    std::fs::write(&file, source.dump(&["-Fc"])).unwrap();
    // Only the older version's folder, whatever else this machine has. The archive's format is that of 17 and on.
    let older = Installation::before(17);
    let agent = scene.agent.setting("PG_BIN_DIR", older.programs().display().to_string());
    let run = Agent::run(&agent, &["restore", "--backup-file", file.to_str().unwrap(), "--into", "x", "--confirm"]);
    run.exits(2).mentions("18.").mentions(&format!("{}.", older.major())).mentions("postgresql-client-18");
}
