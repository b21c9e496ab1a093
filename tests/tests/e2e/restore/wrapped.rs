//! Dumps in what Lastgood doesn't unwrap, and dumps with something behind them: named, and the hint's line makes a dump of them.

use std::process::Command;

use e2e::postgres::{Installation, Postgres};
use e2e::process::{output, output_given};

use super::Scene;

fn through(program: &str, arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let output = output_given(Command::new(program).args(arguments), bytes);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Writes the bytes as FILE, and has the line behind the hint's last colon followed there; gives the file that comes of it.
fn followed(scene: &Scene<'_>, bytes: &[u8], words: &str, made: &str) -> String {
    let folder = scene.folder.path();
    let file = folder.join("FILE");
    std::fs::write(&file, bytes).unwrap();
    let path = file.display().to_string();
    scene.agent.run(&["restore", "--backup-file", &path, "--confirm"]).exits(1).mentions(words);
    let refused = scene.agent.run(&["verify", &path]).exits(1).mentions(words);
    let hint = refused.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap_or_else(|| panic!("{refused}"));
    let (_, line) = hint.rsplit_once(": ").unwrap();
    // A message's own colon is within the line.
    let line = hint.find("perl ").map_or(line, |at| &hint[at..]);
    let done = output(Command::new("sh").current_dir(folder).args(["-ec", line]));
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    folder.join(made).display().to_string()
}

/// Restores what came of it, over rows that were lost.
fn restored(scene: &Scene<'_>, file: &str) {
    scene.database.query("DELETE FROM t WHERE id > 10");
    scene.agent.run(&["verify", file]).succeeds().mentions("intact");
    let run = scene.agent.run(&["restore", "--backup-file", file, "--in-place", "--skip-backup", "--confirm"]);
    run.succeeds();
    assert_eq!(scene.rows(), "100");
}

fn scene(name: &str) -> Scene<'static> {
    let scene = Scene::new(name);
    scene.database.query("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
    scene
}

#[test]
fn what_a_dump_is_wrapped_in_is_named_with_a_line_that_unwraps_it() {
    let scene = scene("wrapped");
    let (plain, custom) = (scene.database.dump(&[]), scene.database.dump(&["--format=custom"]));
    let gzip = |bytes: &[u8]| through("gzip", &["-c"], bytes);
    let utf16 = |from: &str| through("iconv", &["-f", "UTF-8", "-t", from], &plain);
    let zip = {
        std::fs::write(scene.folder.path().join("inner.sql"), &plain).unwrap();
        let mut zip = Command::new("zip");
        output(zip.current_dir(scene.folder.path()).args(["-q", "-", "inner.sql"])).stdout
    };
    let table = [
        (through("xz", &["-c"], &custom), "it is xz, and has to be unwrapped", "NEW.gz"),
        (through("bzip2", &["-c"], &plain), "it is bzip2", "NEW.gz"),
        (through("lz4", &["-c"], &custom), "it is LZ4", "NEW.gz"),
        (zip, "it is a zip file", "NEW.gz"),
        (gzip(&gzip(&custom)), "it is gzip in gzip", "NEW"),
        (through("zstd", &["-c"], &gzip(&plain)), "it is gzip in zstd", "NEW"),
        (gzip(&through("xz", &["-c"], &plain)), "it is xz in gzip", "NEW.gz"),
        (utf16("UTF-16"), "it is text in UTF-16", "NEW.gz"),
        (utf16("UTF-16LE"), "it is text in UTF-16", "NEW.gz"),
        (gzip(&[&b"\xfe\xff"[..], &utf16("UTF-16BE")].concat()), "it is text in UTF-16 in gzip", "NEW.gz"),
    ];
    for (bytes, words, made) in table {
        let file = followed(&scene, &bytes, words, made);
        scene.agent.run(&["verify", &file]).succeeds().mentions("100 rows");
        std::fs::remove_file(&file).unwrap();
    }
    restored(&scene, &followed(&scene, &through("xz", &["-c"], &custom), "it is xz", "NEW.gz"));
}

#[test]
fn messages_of_pg_dump_in_a_dump_are_taken_out_by_the_hint_s_line() {
    let scene = scene("messages");
    for form in ["--format=plain", "--format=custom"] {
        let pg_dump = scene.database.client(scene.database.server().installation(), "pg_dump");
        let line = format!("exec '{}' --verbose {form} 2>&1", pg_dump.get_program().to_str().unwrap());
        let mut shell = Command::new("sh");
        let mixed = output(shell.envs(scene.database.libpq_environment()).args(["-c", &line])).stdout;
        assert!(mixed.starts_with(b"pg_dump: "), "{}", String::from_utf8_lossy(&mixed));
        restored(&scene, &followed(&scene, &mixed, "messages of pg_dump in it", "NEW.gz"));
    }
}

#[test]
fn what_follows_a_script_is_named_and_cut_off_by_the_hint_s_lines() {
    let scene = scene("followed");
    let plain = scene.database.dump(&[]);
    for end in ["\n\n", "\r\n", "\n-- done\n", " \t\n"] {
        let file = scene.folder.path().join("blank.sql");
        std::fs::write(&file, [&plain, end.as_bytes()].concat()).unwrap();
        scene.agent.run(&["verify", file.to_str().unwrap()]).succeeds().mentions("100 rows");
    }
    let dos = String::from_utf8(plain.clone()).unwrap().replace('\n', "\r\n").into_bytes();
    let marked = [&b"\xef\xbb\xbf"[..], &plain].concat();
    let logs = [
        "Dump completed at 03:00\n",
        "it's done",
        "exit \"0\" \\ 1;\n",
        "\n2026-11-26 03:00:01 OK; 12 files\n",
        "DROP TABLE t;\n",
    ];
    for (dump, log) in [&plain, &dos, &marked, &plain, &plain].into_iter().zip(logs) {
        let words = "its dump is whole and ends at byte";
        let file = followed(&scene, &[dump, log.as_bytes()].concat(), words, "NEW.sql");
        scene.agent.run(&["verify", &file]).succeeds().mentions("100 rows");
    }
    let log = through("gzip", &["-c"], &[&plain, logs[0].as_bytes()].concat());
    restored(&scene, &followed(&scene, &log, "text that is not part of it follows", "NEW.sql"));
    // As after `>>`, of gzip too.
    let (first, other) = (through("gzip", &["-c"], &plain), {
        scene.database.query("INSERT INTO t SELECT generate_series(101, 150)");
        through("gzip", &["-c"], &scene.database.dump(&[]))
    });
    let one = followed(&scene, &[first, other].concat(), "another dump follows", "ONE.sql");
    let other = one.replace("ONE.sql", "OTHER.sql");
    scene.agent.run(&["verify", &other]).succeeds().mentions("150 rows");
    restored(&scene, &one);
}

#[test]
fn a_dump_of_a_whole_server_is_refused_and_the_hint_s_line_restores_it() {
    let scene = scene("cluster");
    let server = scene.database.server();
    server.query("CREATE ROLE cluster_of_guests NOLOGIN");
    let mut pg_dumpall = scene.database.client(server.installation(), "pg_dumpall");
    let globals = output(pg_dumpall.arg("--globals-only")).stdout;
    // Of the shared server's databases this one is enough.
    let alone = [
        &b"--\n-- PostgreSQL database cluster dump\n--\n\nCREATE ROLE cluster_of_guests;\n"[..],
        &scene.database.dump(&["--create"]),
        b"\n--\n-- PostgreSQL database cluster dump complete\n--\n",
    ]
    .concat();
    server.query("DROP ROLE cluster_of_guests");
    let new = Postgres::start(Installation::debian());
    for (bytes, told) in [(globals, "a whole server's roles and tablespaces"), (alone, "a whole server of PostgreSQL")]
    {
        let file = scene.folder.path().join("FILE");
        std::fs::write(&file, through("gzip", &["-c"], &bytes)).unwrap();
        let path = file.display().to_string();
        scene.agent.run(&["verify", &path]).succeeds().mentions(told);
        let refused = scene.agent.run(&["restore", "--backup-file", &path, "--confirm"]).exits(1);
        let refused = refused.mentions("it is a dump of a whole server (pg_dumpall)");
        let line = &refused.stderr[refused.stderr.find("gunzip -c FILE").unwrap_or_else(|| panic!("{refused}"))..];
        let mut psql = Command::new("sh");
        psql.current_dir(scene.folder.path()).envs(new.database("postgres").libpq_environment());
        let done = output(psql.args(["-ec", line.lines().next().unwrap()]));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!(new.query("SELECT count(*) FROM pg_roles WHERE rolname = 'cluster_of_guests'"), "1");
    let copy = new.database(scene.database.name());
    assert_eq!(copy.query("SELECT count(*) FROM t"), "100");
    // Under a backup's name it isn't adopted.
    let name = format!("{}_backup_20200101_030000", scene.database.name());
    std::fs::rename(scene.folder.path().join("FILE"), scene.folder.path().join(format!("{name}.sql.gz"))).unwrap();
    scene.agent.run(&["adopt", &name]).exits(1).mentions("dump of a whole server (pg_dumpall)");
}
