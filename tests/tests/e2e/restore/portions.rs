//! Guests that hold a part of a database: rows alone, definitions alone. None of them becomes the newest good backup.

use std::process::Command;

use e2e::process::output;

use super::Scene;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    e2e::process::output_given(Command::new("gzip").arg("-c"), bytes).stdout
}

fn scene(name: &str) -> Scene<'static> {
    let scene = Scene::new(name);
    scene.database.query(
        "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100);
         CREATE TABLE u (id integer PRIMARY KEY REFERENCES t); INSERT INTO u SELECT generate_series(1, 50)",
    );
    scene
}

/// A file of this dump under a backup's name; its name.
fn stored(scene: &Scene<'_>, day: u32, options: &[&str]) -> String {
    let name = format!("{}_backup_202001{day:02}_030000", scene.database.name());
    let path = scene.folder.path().join(format!("{name}.sql.gz"));
    std::fs::write(path, gzip(&scene.database.dump(options))).unwrap();
    name
}

#[test]
fn a_dump_without_rows_is_not_adopted_and_its_tables_come_back_by_the_hint_s_line() {
    let scene = scene("rowless");
    let whole = stored(&scene, 1, &["--format=plain"]);
    scene.agent.run(&["adopt", &whole]).succeeds();
    let server = scene.database.server();
    for (day, options) in
        [(2, &["--schema-only"][..]), (3, &["--schema-only", "--format=custom"]), (4, &["--section=pre-data"])]
    {
        let name = stored(&scene, day, options);
        let refused = scene.agent.run(&["adopt", &name]).exits(1);
        refused.mentions("has tables and the rows of none").mentions("newest good backup").mentions("stays a guest");
        scene.agent.run(&["verify", &name]).succeeds().mentions("only definitions");
        let copy = server.database(&format!("{}_copy", scene.database.name()));
        scene.agent.run(&["restore", &name, "--into", copy.name(), "--schema-only", "--confirm"]).succeeds();
        assert_eq!(copy.query("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM u)"), "0|0");
        // With rows wanted, the hint names what reads it.
        let program = if options.contains(&"--format=custom") { "pg_restore --dbname=NAME" } else { "psql -X" };
        let refused = scene.agent.run(&["restore", &name, "--confirm"]).exits(1);
        refused.mentions("this backup has tables and the rows of none").mentions(program);
    }
    scene.agent.run(&["adopt", "--all"]).exits(1).mentions("FAILED");
    scene.agent.run(&["list"]).succeeds().mentions("4 backups, 1 good").mentions("guest");
    scene.agent.run(&["restore", "latest", "--dry-run"]).succeeds().mentions(&whole);
    // An empty database is no part of one.
    scene.database.query("DROP TABLE u, t");
    let empty = stored(&scene, 5, &["--format=custom"]);
    scene.agent.run(&["adopt", &empty]).succeeds();
}

#[test]
fn rows_alone_are_not_adopted_and_go_into_tables_that_are_there() {
    let scene = scene("rows_alone");
    let forms: [&[&str]; 5] = [
        &["-a"],
        &["-a", "--disable-triggers"],
        &["--section=data", "--inserts"],
        &["-a", "--disable-triggers", "--format=custom"],
        &["--section=data", "--format=tar"],
    ];
    let names: Vec<String> = (1..).zip(forms).map(|(day, options)| stored(&scene, day, options)).collect();
    for (name, options) in names.iter().zip(forms) {
        scene.agent.run(&["adopt", name]).exits(1).mentions("has rows and no tables to put them into");
        scene.agent.run(&["verify", name]).succeeds().mentions("only rows");
        let refused = scene.agent.run(&["restore", name, "--confirm"]).exits(1);
        let refused = refused.mentions("this backup has rows and no tables to put them into");
        scene.database.query("TRUNCATE t, u");
        scene.agent.run(&["restore", name, "--data-only", "--confirm"]).succeeds();
        assert_eq!(
            scene.database.query("SELECT (SELECT sum(id) FROM t), (SELECT count(*) FROM u)"),
            "5050|50",
            "{options:?}"
        );
        // The hint's line by hand.
        scene.database.query("TRUNCATE t, u");
        let program = if options.iter().any(|option| option.starts_with("--format")) { "pg_restore" } else { "psql" };
        let (_, line) = refused.stderr.split_once("(or with --data-only): ").unwrap_or_else(|| panic!("{refused}"));
        assert!(line.contains(program), "{line}");
        let line = line.lines().next().unwrap().replace("NAME", scene.database.name());
        let line = line.replace("FILE", &format!("{name}.sql.gz"));
        let mut shell = Command::new("sh");
        shell.current_dir(scene.folder.path()).envs(scene.database.libpq_environment());
        let done = output(shell.args(["-ec", &line]));
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(scene.database.query("SELECT count(*) FROM u"), "50");
    }
    scene.agent.run(&["list"]).succeeds().mentions("NONE OF THEM GOOD");
}

#[test]
fn a_folder_among_the_files_is_named_with_the_line_that_makes_it_one() {
    let scene = scene("folders");
    let folder = scene.folder.path().join("shop dir");
    let mut pg_dump = scene.database.client(scene.database.server().installation(), "pg_dump");
    output(pg_dump.args(["--format=directory", "--file"]).arg(&folder));
    let listed = scene.agent.run(&["list"]).succeeds();
    let path = folder.display().to_string();
    listed.mentions("which are not listed").mentions(&path);
    let refused =
        scene.agent.run(&["adopt", "shop dir"]).exits(1).mentions("is a folder of pg_dump --format=directory");
    let (_, line) = refused.stderr.rsplit_once("s3 cp --recursive): ").unwrap_or_else(|| panic!("{refused}"));
    let line =
        line.lines().next().unwrap().replace("FOLDER", &format!("'{path}'")).replace("DATABASE", scene.database.name());
    let done = output(Command::new("sh").current_dir(scene.folder.path()).args(["-ec", &line]));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let name = format!("{}_backup_20260131_030000", scene.database.name());
    scene.agent.run(&["adopt", &name]).succeeds().mentions("2 tables, 150 rows");
    scene.database.query("DELETE FROM u");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(scene.database.query("SELECT count(*) FROM u"), "50");
}

#[test]
fn rows_that_are_inserts_are_not_said_to_be_none() {
    let scene = scene("inserts");
    let name = stored(&scene, 1, &["--inserts"]);
    scene.agent.run(&["adopt", &name]).succeeds().mentions("2 tables, rows not counted");
    let listed = scene.agent.run(&["list", "--json"]).succeeds().json();
    assert_eq!(listed["databases"][0]["backups"][0]["rows"], serde_json::Value::Null, "{listed:#}");
}
