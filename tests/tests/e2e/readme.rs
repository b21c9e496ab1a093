//! README.md's ten minutes: its settings in a file, but for those of a bucket, then its commands and its crontab as they stand
//! there. What asks is answered by --confirm.

use std::os::unix::fs::PermissionsExt as _;

use e2e::agent::Agent;
use e2e::postgres::{Installation, Postgres};
use e2e::tools;

/// The page's block whose first line begins so, without remarks.
fn block(beginning: &str) -> Vec<String> {
    let page = std::fs::read_to_string(tools::root().join("README.md")).unwrap();
    // Every second piece lies between two fences, and its first line says what it is.
    let mut blocks = page.split("```").skip(1).step_by(2).filter_map(|block| Some(block.split_once('\n')?.1));
    let found = blocks.find(|block| block.starts_with(beginning)).unwrap_or_else(|| panic!("no block {beginning}"));
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
    std::fs::write(&file, settings.collect::<String>()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();

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
