//! README.md held to the program. Its first screen: the commands at a terminal print what stands there, but for numbers, ages and
//! widths. Its every night: its settings in a file, but for those of a bucket, then its commands and its crontab as they stand there.
//! What asks is answered by --confirm.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use e2e::agent::Agent;
use e2e::postgres::{Installation, Postgres};
use e2e::tools;

use crate::width::at_terminal_typing;

/// The page's block whose first line begins so.
fn whole_block(beginning: &str) -> String {
    let page = fs::read_to_string(tools::root().join("README.md")).unwrap();
    // Every second piece lies between two fences, and its first line says what it is.
    let mut blocks = page.split("```").skip(1).step_by(2).filter_map(|block| Some(block.split_once('\n')?.1));
    blocks.find(|block| block.starts_with(beginning)).unwrap_or_else(|| panic!("no block {beginning}")).to_owned()
}

/// The same as lines without remarks.
fn block(beginning: &str) -> Vec<String> {
    let found = whole_block(beginning);
    let lines = found.lines().map(|line| line.split('#').next().unwrap().trim().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

/// The commands of a line, each as its words after `lastgood`.
fn commands(line: &str) -> Vec<Vec<String>> {
    let commands = line.split(';').map(|command| command.split_once("lastgood ").unwrap().1);
    commands.map(|words| words.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn the_ten_minutes_work_as_they_are_written() {
    let server = Postgres::start(Installation::debian());
    let database = server.new_database_named("shop");
    // As small as databases begin.
    database.query("CREATE TABLE users AS SELECT n AS id FROM generate_series(1, 100) AS n");
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("backups");
    let agent = Agent::new().programs_of(server.installation());
    let settings = block("DATABASE_URL=").into_iter().filter_map(|line| match line.split_once('=').unwrap().0 {
        "DATABASE_URL" => Some(format!("DATABASE_URL='{}'\n", database.url())),
        "BACKUP_DIR" => Some(format!("BACKUP_DIR={}\n", backups.display())),
        name if name.contains("AWS_") || name == "BACKUP_S3_BUCKET" => None,
        _ => Some(line + "\n"),
    });
    let file = folder.path().join("lastgood.env");
    fs::write(&file, settings.collect::<String>()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();

    let typed = block("sudo lastgood config").into_iter().chain(block("0 3 * * *"));
    let mut seen = 0;
    for words in typed.flat_map(|line| commands(&line)) {
        let more = if words[0] == "restore" { &["--confirm"][..] } else { &[] };
        let file = ["--env-file", file.to_str().unwrap()];
        let all: Vec<&str> =
            file.into_iter().chain(words.iter().map(String::as_str)).chain(more.iter().copied()).collect();
        let outcome = agent.run(&all).succeeds();
        assert!(!words.contains(&"--quiet".to_owned()) || outcome.stdout.is_empty(), "cron would mail: {outcome}");
        seen += 1;
    }
    assert_eq!(seen, 10);
    assert_eq!(server.database("shop_copy").as_sql(), database.as_sql());
}

/// What a text says, whatever its numbers, sizes and ages are and wherever its lines are broken. Typed words are left out.
fn gist(text: &str) -> String {
    const UNITS: [&str; 8] = ["second", "seconds", "minute", "minutes", "hour", "hours", "day", "days"];
    let mut words = Vec::new();
    for word in text.split_whitespace().filter(|word| *word != "yes") {
        let mut gist = String::new();
        let mut left = word.chars().peekable();
        while let Some(char) = left.next() {
            let goes_on = gist.ends_with('#') && matches!(char, '.' | ',' | '_');
            match char {
                '0'..='9' if gist.ends_with('#') => {}
                '0'..='9' => gist.push('#'),
                _ if goes_on && left.peek().is_some_and(char::is_ascii_digit) => {}
                _ => gist.push(char),
            }
        }
        words.push(match gist.as_str() {
            "#s" | "#m" | "#h" | "#d" => "AGE".to_owned(),
            unit if UNITS.contains(&unit) => "UNIT".to_owned(),
            "KiB" | "MiB" => "SIZE".to_owned(),
            _ => gist,
        });
    }
    words.join(" ")
}

#[test]
fn the_first_screen_is_what_a_terminal_shows() {
    let server = Postgres::start(Installation::debian());
    let database = server.new_database_named("shop");
    database.query(
        "CREATE TABLE customers AS SELECT n AS id, md5(n::text) || md5((-n)::text) AS note FROM generate_series(1, 40000) AS n;
        CREATE TABLE orders AS SELECT n AS id, n * 7 % 1000 AS cents FROM generate_series(1, 60000) AS n",
    );
    let folder = tempfile::tempdir().unwrap();
    let agent = || Agent::new().database(&database).directory(folder.path()).setting("TERM", "dumb");
    // A name has seconds.
    let night = || {
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        agent().run(&["backup"]).succeeds();
    };
    let archives = || -> Vec<PathBuf> {
        let all = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| is_archive(path)).collect()
    };

    let screen = whole_block("$ lastgood backup");
    let mut seen = Vec::new();
    for shown in screen.split("$ lastgood ").skip(1) {
        let (line, expected) = shown.split_once('\n').unwrap();
        let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
        if words == ["list"] {
            night();
            night();
            let newest = archives().into_iter().max().unwrap();
            let bytes = fs::read(&newest).unwrap();
            fs::write(&newest, &bytes[..bytes.len() - 65_536]).unwrap();
            agent().run(&["verify", "--all"]).exits(4);
        }
        let printed = at_terminal_typing(&agent(), &words, "2>&1", b"yes\n");
        let printed: Vec<&str> = printed.lines().filter(|line| !line.contains('\u{1b}')).collect();
        let user = database.url().split_once("://").unwrap().1.split_once(':').unwrap().0.to_owned();
        let printed = printed.join("\n").replace(folder.path().to_str().unwrap(), "/var/backups/lastgood");
        let here = format!("127.0.0.1:{} as {user}:", server.port());
        let printed = gist(&printed).replace(&gist(&here), &gist("localhost:5432 as shop:"));
        assert_eq!(printed, gist(expected), "{line}");
        seen.push(words[0].to_owned());
    }
    assert_eq!(seen, ["backup", "list", "restore"]);
}

fn is_archive(path: &std::path::Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.ends_with(".sql.gz") && !name.ends_with(".globals.sql.gz")
}
