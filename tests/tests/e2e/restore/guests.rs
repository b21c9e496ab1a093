//! Dumps of other forms: scripts of `pg_dump --format=plain`, tars, folders; packed in any way, or not at all.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::postgres::{Database, Installation, Postgres};
use e2e::process::{output, output_given};

use super::Scene;

/// What a program makes of these bytes.
fn through(program: &str, arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let output = output_given(Command::new(program).args(arguments), bytes);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn folder(database: &Database<'_>, at: &Path, arguments: &[&str]) -> PathBuf {
    let folder = at.join("folder");
    let _ = std::fs::remove_dir_all(&folder);
    let mut command = database.client(database.server().installation(), "pg_dump");
    let dumped = output(command.args(["--format=directory", "--file"]).arg(&folder).args(arguments));
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    folder
}

/// A database with everything, and a file of these bytes beside it.
fn written(scene: &Scene<'_>, name: &str, bytes: &[u8]) -> String {
    let path = scene.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// Restores each into a new database, and compares it with its source.
fn restore_all(scene: &Scene<'_>, forms: &[&str]) {
    let (source, server) = (&scene.database, scene.database.server());
    let before = source.as_sql();
    for form in forms {
        let copy = server.database(&format!("{}_copy", source.name()));
        scene.agent.run(&["verify", form]).succeeds().mentions("intact");
        scene.agent.run(&["restore", "--backup-file", form, "--into", copy.name(), "--confirm"]).succeeds();
        // INSERT has a literal 0 with a sign, of which PostgreSQL keeps none.
        let before =
            if form.contains("inserts") { before.replace("NaN\t-0\tNaN", "NaN\t0\tNaN") } else { before.clone() };
        similar(&copy.as_sql(), &before, form);
    }
}

fn similar(restored: &str, before: &str, form: &str) {
    if restored != before {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        let (restored, before) = (lines(restored), lines(before));
        let lost: Vec<_> = before.difference(&restored).take(20).collect();
        let new: Vec<_> = restored.difference(&before).take(20).collect();
        panic!("{form}: lost {lost:#?}, new {new:#?}");
    }
}

#[test]
fn every_form_of_a_dump_brings_every_kind_of_object_back() {
    let scene = Scene::new("forms");
    scene.database.fill_with_everything();
    let source = &scene.database;
    let created = through("gzip", &["-c"], &source.dump(&["--format=plain", "--create", "--clean"]));
    let inserts = source.dump(&["--format=plain", "--rows-per-insert=7", "--clean", "--if-exists"]);
    let forms = [
        written(&scene, "plain.sql.gz", &created),
        written(&scene, "inserts.zst", &through("zstd", &["-c"], &inserts)),
        written(&scene, "dump.tar.gz", &through("gzip", &["-c"], &source.dump(&["--format=tar"]))),
        folder(source, scene.folder.path(), &[]).display().to_string(),
    ];
    restore_all(&scene, &forms.each_ref().map(String::as_str));
    // The same in place.
    let before = source.as_sql();
    let plain = written(&scene, "plain.sql", &source.dump(&["--format=plain"]));
    source.query("DELETE FROM app.every_type");
    scene.agent.run(&["restore", "--backup-file", &plain, "--in-place", "--skip-backup", "--confirm"]).succeeds();
    similar(&source.as_sql(), &before, "in place");
}

#[test]
fn rows_that_go_through_the_table_on_top_come_back_into_their_partitions() {
    let scene = Scene::new("through_root");
    scene.database.query(
        "CREATE SCHEMA other; CREATE TABLE h (id integer, note text) PARTITION BY HASH (id);
         CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);
         CREATE TABLE other.h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);
         CREATE TABLE \"ra nge\" (id integer, k text) PARTITION BY RANGE (id);
         CREATE TABLE middle PARTITION OF \"ra nge\" FOR VALUES FROM (0) TO (50) PARTITION BY LIST (k);
         CREATE TABLE \"le af\" PARTITION OF middle FOR VALUES IN ('a'); CREATE TABLE rest PARTITION OF middle DEFAULT;
         CREATE TABLE top PARTITION OF \"ra nge\" DEFAULT;
         INSERT INTO h SELECT id, 'note ' || id FROM generate_series(1, 200) AS id;
         INSERT INTO \"ra nge\" SELECT id, chr(97 + id % 3) FROM generate_series(1, 99) AS id",
    );
    let forms = [
        written(&scene, "root.sql", &scene.database.dump(&["--load-via-partition-root"])),
        written(&scene, "root_inserts.sql", &scene.database.dump(&["--load-via-partition-root", "--inserts"])),
        written(&scene, "root.dump", &scene.database.dump(&["--load-via-partition-root", "--format=custom"])),
    ];
    restore_all(&scene, &forms.each_ref().map(String::as_str));
}

#[test]
fn a_newer_dump_is_restored_in_any_form_too() {
    let server = Postgres::start(Installation::eighteen());
    let scene = Scene::on(&server, "newer");
    scene.database.fill_with_everything();
    let plain = written(&scene, "plain.sql", &scene.database.dump(&["--format=plain"]));
    let tar = written(&scene, "dump.tar", &scene.database.dump(&["--format=tar"]));
    restore_all(&scene, &[&plain, &tar]);
}

#[test]
fn what_is_wrong_with_a_guest_is_found_before_anything_is_touched() {
    let scene = Scene::backed_up("broken");
    scene.database.query("INSERT INTO t SELECT generate_series(1000, 9000)");
    let plain = scene.database.dump(&["--format=plain"]);
    let at = |needle: &str| String::from_utf8_lossy(&plain).find(needle).unwrap();
    let gzip = through("gzip", &["-c"], &plain);
    let tar = scene.database.dump(&["--format=tar"]);
    let unpacked = folder(&scene.database, scene.folder.path(), &[]);
    let data =
        std::fs::read_dir(&unpacked).unwrap().flatten().find(|file| file.file_name() != "toc.dat").unwrap().path();
    let shortened = std::fs::read(&data).unwrap();
    std::fs::write(&data, &shortened[..shortened.len() / 2]).unwrap();
    let broken = [
        (written(&scene, "rows.sql", &plain[..at("\n5000\n") + 3]), "within the rows of TABLE DATA public.t"),
        (written(&scene, "end.sql", &plain[..at("-- PostgreSQL database dump complete")]), "before the last line"),
        (written(&scene, "cut.sql.gz", &gzip[..gzip.len() - 100]), "cut off"),
        (written(&scene, "cut.tar", &tar[..tar.len() / 2]), "cut off"),
        (unpacked.display().to_string(), "the file "),
    ];
    for (file, words) in &broken {
        scene.agent.run(&["verify", file]).exits(4).mentions("DAMAGED").mentions(words);
        scene.agent.run(&["restore", "--backup-file", file, "--force", "--confirm"]).exits(4).mentions(words);
    }
    std::fs::remove_file(&data).unwrap();
    let file = unpacked.display().to_string();
    scene.agent.run(&["verify", &file]).exits(4).mentions(".dat is missing");
    assert_eq!(scene.beside().len(), 0);
}

#[test]
fn no_command_of_psqls_in_a_script_ever_runs_here() {
    let scene = Scene::backed_up("commands");
    let plain = String::from_utf8(scene.database.dump(&["--format=plain"])).unwrap();
    let trace = scene.folder.path().join("trace");
    let attack = format!("\\! touch {}\n", trace.display());
    // Where a command is one, and where it only looks like one.
    let commands = plain.replacen("SET default_tablespace", &format!("{attack}SET default_tablespace"), 1);
    let rows = plain.replacen("FROM stdin;\n", &format!("FROM stdin;\n{attack}"), 1);
    for (name, script) in [("commands.sql", commands), ("rows.sql", rows)] {
        let file = written(&scene, name, script.as_bytes());
        for way in [&["--confirm"][..], &["--in-place", "--skip-backup", "--confirm"]] {
            scene.agent.run(&[&["restore", "--backup-file", &file], way].concat()).exits(1);
            assert!(!trace.exists(), "{name} {way:?}");
        }
    }
    assert_eq!(scene.rows(), "10");
}

#[test]
fn a_dump_of_a_whole_server_or_a_tar_of_a_folder_is_refused_with_the_way() {
    let scene = Scene::backed_up("whole");
    let source = &scene.database;
    let mut pg_dumpall = source.client(source.server().installation(), "pg_dumpall");
    let script = output(pg_dumpall.args(["--globals-only"])).stdout;
    let file = written(&scene, "server.sql", &script);
    scene.agent.run(&["verify", &file]).succeeds().mentions("a whole server");
    scene
        .agent
        .run(&["restore", "--backup-file", &file, "--confirm"])
        .exits(1)
        .mentions("pg_dumpall")
        .mentions("psql -X");
    let unpacked = folder(source, scene.folder.path(), &[]);
    let mut tar = Command::new("tar");
    let packed = output(tar.arg("-C").arg(&unpacked).args(["--sort=name", "-cf", "-", "."])).stdout;
    let file = written(&scene, "folder.tar", &packed);
    let run = scene.agent.run(&["restore", "--backup-file", &file, "--confirm"]).exits(1);
    run.mentions("has to be unpacked first").mentions("tar -xf FILE -C DIR");
    let again = scene.folder.path().join("again");
    std::fs::create_dir(&again).unwrap();
    output(Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(&again));
    scene.agent.run(&["restore", "--backup-file", again.to_str().unwrap(), "--confirm"]).succeeds();
    assert_eq!(scene.rows(), "10");
}

#[test]
fn a_script_under_a_backup_s_name_is_listed_adopted_and_restored() {
    let scene = Scene::backed_up("adopted");
    let name = format!("{}_backup_20200101_030000", scene.database.name());
    let bytes = through("gzip", &["-c"], &scene.database.dump(&["--format=plain"]));
    written(&scene, &format!("{name}.sql.gz"), &bytes);
    scene.agent.run(&["list"]).succeeds().mentions("guest");
    scene.agent.run(&["adopt", &name]).succeeds().mentions("1 table, 10 rows");
    let manifest = std::fs::read(scene.folder.path().join(format!("{name}.manifest.json"))).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["archive"]["formatVersion"], "plain");
    scene.agent.run(&["show", &name]).succeeds().mentions("| psql -X -q -1 -v ON_ERROR_STOP=1");
    scene.database.query("DELETE FROM t");
    scene.agent.run(&["restore", &name, "--confirm"]).succeeds().mentions("10 rows");
    assert_eq!(scene.rows(), "10");
}
