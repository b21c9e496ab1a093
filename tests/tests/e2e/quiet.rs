//! What cron mails: with `--quiet` nothing while all is well, and everything that isn't.

use e2e::agent::{Agent, Outcome};

use e2e::past::{agent, database, days_ago, put_in_directory};

#[track_caller]
fn says_nothing(outcome: &Outcome) {
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""), "{outcome}");
}

/// A directory with good backups of three days, and an agent for the database `app` of it.
fn scene(folder: &std::path::Path) -> Agent {
    (0..3).for_each(|days| put_in_directory(folder, "app", days_ago(days)));
    agent().setting("DB_NAME", "app").directory(folder).setting("MIN_BACKUP_COUNT", "3").setting("MIN_BACKUP_SIZE", "1")
}

#[test]
fn commands_that_cron_runs_say_nothing_while_all_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().database(database()).directory(folder.path()).setting("MIN_BACKUP_COUNT", "1");
    let agent = agent.setting("MIN_BACKUP_SIZE", "1");
    for command in [&["backup"][..], &["verify", "--all"], &["verify", "latest"], &["check"], &["prune"]] {
        says_nothing(&agent.run(&[command, &["--quiet"]].concat()).succeeds());
    }
    agent.run(&["check"]).succeeds().mentions("HEALTHY");
}

/// With a small database and nothing set but its name and its place, from its first night on.
#[test]
fn a_small_database_is_well_from_its_first_night_on() {
    let folder = tempfile::tempdir().unwrap();
    let agent = || agent().setting("DB_NAME", "app");
    for night in 0..9 {
        // The nights before are each a day older by then: there are as many as nights have gone by, and one.
        let folder = folder.path().join(night.to_string());
        (0..=night).for_each(|days| put_in_directory(&folder, "app", days_ago(days)));
        says_nothing(&agent().directory(&folder).run(&["check", "--quiet"]).succeeds());
    }
    let missed = tempfile::tempdir().unwrap();
    [0, 1, 5, 6].into_iter().for_each(|days| put_in_directory(missed.path(), "app", days_ago(days)));
    let agent = agent().directory(missed.path());
    agent.run(&["check", "--quiet"]).exits(6).mentions("has 4 good backups, fewer than 6");
    let guides = agent.setting("LASTGOOD_DEFAULTS", "guide");
    guides.run(&["check", "--quiet"]).exits(6).mentions("fewer than 7").mentions("fewer than 102400");
}

#[test]
fn what_is_not_well_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let agent = scene(folder.path());
    std::fs::write(folder.path().join("app_backup_cut.sql.gz"), "nothing that pg_dump ever wrote").unwrap();
    agent.run(&["verify", "--all", "--quiet"]).exits(4).mentions("DAMAGED");
    let agent = agent.setting("MIN_BACKUP_COUNT", "9");
    agent.run(&["check", "--quiet"]).exits(6).mentions("UNHEALTHY: app");
    let agent = agent.setting("BACKUP_KEEP_LAST", "1").setting("BACKUP_MIN_GOOD", "1");
    agent.run(&["prune", "--quiet"]).exits(1).mentions("more than half");
    agent
        .setting("DB_PORT", "1")
        .setting("DB_HOST", "127.0.0.1")
        .run(&["backup", "--quiet"])
        .exits(1)
        .mentions("error: ");
}

#[test]
fn what_was_asked_for_is_answered_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let agent = scene(folder.path());
    agent.run(&["list", "--quiet"]).succeeds().mentions("app_backup_");
    agent.run(&["prune", "--dry-run", "--quiet"]).succeeds().mentions("3 backups kept");
    assert_eq!(agent.run(&["check", "--quiet", "--json"]).succeeds().json()["healthy"], true);
}

#[test]
fn a_log_file_that_was_set_and_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let agent = scene(folder.path()).setting("BACKUP_VERIFY_LOG_FILE", "/nowhere/lastgood.log");
    agent.run(&["check", "--quiet"]).succeeds().mentions("/nowhere/lastgood.log");
}
