//! `lastgood` alone and `lastgood status`: one screen, for a person who has just typed it. And `help` and `version`.

use std::time::{Duration, Instant};

use e2e::agent::{Agent, Outcome};
use e2e::bucket::Bucket;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use serde_json::json;

use e2e::past::{agent, days_ago, put_in_bucket, put_in_directory, stem};

/// Asks for backups that the tests' small database can make.
fn small(agent: Agent) -> Agent {
    agent.setting("MIN_BACKUP_SIZE", "1000").setting("MIN_BACKUP_COUNT", "1")
}

/// At most one screen, with a line left for the prompt.
#[track_caller]
fn fits(run: &Outcome) {
    assert!(run.stdout.lines().count() < 24, "{run}");
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{run}");
}

#[test]
fn without_settings_it_says_how_to_begin() {
    let nothing = Agent::new();
    let alone: [&str; 0] = [];
    for arguments in [&alone[..], &["status"]] {
        let run = nothing.run(arguments).exits(2).mentions("To begin:").mentions("sudo lastgood init");
        fits(&run);
    }
    assert_eq!(nothing.run(&["--json"]).exits(2).json()["error"], "nothing is set");
}

#[test]
fn each_database_has_its_last_good_backup_and_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let newest = days_ago(0);
    put_in_directory(folder.path(), "app", newest);
    put_in_directory(folder.path(), "app", days_ago(1));
    let agent = small(agent()).directory(folder.path()).setting("DB_NAME", "app");
    let alone: [&str; 0] = [];
    let run = agent.run(&alone).succeeds().mentions("app").mentions("healthy").keeps_silent_about("others");
    fits(&run);
    put_in_directory(folder.path(), "blog", days_ago(3));
    let run = agent.run(&["status"]).succeeds().mentions("others, with --all-databases: blog");
    fits(&run);
    let run = agent.run(&["--all-databases"]).exits(6).mentions("UNHEALTHY");
    fits(&run);
    run.mentions("blog: the newest good backup").mentions("\n  lastgood backup --database blog\n");
    let told = agent.run(&["status", "--all-databases", "--json"]).exits(6).json();
    assert_eq!(told["next"], "lastgood backup --database blog", "{told:#}");
    assert_eq!(told["databases"][1]["newestGood"]["id"], json!(stem("app", newest)), "{told:#}");
    assert_eq!(told["databases"][1]["next"], json!(null), "{told:#}");
}

/// The summary is `check`'s: what it calls unhealthy, and its exit status.
#[test]
fn it_says_what_check_says() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(0));
    let agent = small(agent()).directory(folder.path()).setting("DB_NAME", "app");
    for (name, value, exit) in
        [("MIN_BACKUP_SIZE", "0", 0), ("MIN_BACKUP_SIZE", "1GiB", 6), ("MIN_BACKUP_COUNT", "9", 6)]
    {
        let command = |command: &str| {
            let mut command = agent.command(&[command, "--json"]);
            command.env(name, value);
            let output = e2e::process::output(&mut command);
            assert_eq!(output.status.code(), Some(exit), "{name}={value}");
            serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
        };
        let (checked, told) = (command("check"), command("status"));
        let findings = checked["databases"][0]["findings"].as_array().unwrap().iter();
        let texts: Vec<_> = findings.map(|finding| finding["text"].clone()).collect();
        assert_eq!(told["databases"][0]["problems"], json!(texts));
    }
}

#[test]
fn fifty_databases_with_long_names_fit_one_screen() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..50 {
        let name = format!("a_database_of_a_tenant_whose_name_is_{number:02}");
        put_in_directory(folder.path(), &name, days_ago(i64::from(number % 5 == 4) * 3));
    }
    let agent = small(agent()).directory(folder.path());
    let run = agent.run(&["--all-databases"]).exits(6).mentions("… and 44 more, 4 of them UNHEALTHY");
    fits(&run);
    run.mentions("more: lastgood check");
}

#[test]
fn nothing_stored_yet_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let agent = small(agent()).setting("DB_NAME", "app");
    let missing = agent.directory(&folder.path().join("not yet"));
    missing.run(&["status"]).exits(1).mentions("does not exist").mentions("make the first backup with lastgood backup");
    let empty = missing.directory(folder.path());
    fits(&empty.run(&["status"]).exits(6).mentions("never").mentions("\n  lastgood backup\n"));
}

#[test]
fn a_store_that_does_not_answer_is_waited_for_for_seconds() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    put_in_bucket(&bucket, "app", days_ago(0));
    let proxy = Proxy::start(&bucket.access().endpoint);
    let agent = small(agent()).setting("DB_NAME", "app").setting("BACKUP_RETRY_MINUTES", "15");
    let agent = agent.bucket(bucket.name(), &bucket.access().through(&proxy));
    fits(&agent.run(&["status"]).succeeds().mentions("healthy"));
    proxy.set(Fault::Stall(Direction::Down, 0));
    let began = Instant::now();
    agent.run(&["status"]).exits(1).mentions("did not answer within 5 seconds").mentions("hint: lastgood check");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    proxy.set(Fault::GoAway(Direction::Down, 0));
    let began = Instant::now();
    agent.run(&["status"]).exits(1).mentions("error: ");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn help_and_version_are_commands_too() {
    let agent = Agent::new();
    let long = agent.run(&["backup", "--help"]).succeeds().stdout;
    assert_eq!(agent.run(&["help", "backup"]).succeeds().stdout, long);
    agent.run(&["help"]).succeeds().mentions("Usage: lastgood").mentions("Exit status:");
    let version = agent.run(&["--version"]).succeeds().stdout;
    assert_eq!(agent.run(&["version"]).succeeds().stdout, version);
}
