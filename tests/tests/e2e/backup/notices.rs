//! What people are told of backups, and the commands that run around them.

use std::fs;
use std::sync::Mutex;

use e2e::agent::Agent;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::healthcheck::monitor;
use super::{Places, agent, small};

/// An agent that remembers what it has told in a folder of its own.
fn telling(places: &Places, state: &TempDir, url: &str) -> Agent {
    let agent = agent().database(small()).directory(&places.directory());
    agent.setting("BACKUP_NOTIFY_URL", url).setting("STATE_DIRECTORY", state.path().to_str().unwrap())
}

fn documents(told: &Mutex<Vec<String>>) -> Vec<Value> {
    let told = told.lock().unwrap();
    told.iter().map(|told| serde_json::from_str(told.split_once('\n').unwrap().1).unwrap()).collect()
}

#[test]
fn each_failure_and_the_first_success_after_it_are_told() {
    let (url, told) = monitor();
    let (places, state) = (Places::new(), tempfile::tempdir().unwrap());
    let agent = telling(&places, &state, &url);
    let failing = telling(&places, &state, &url).setting("DB_PORT", "1");
    agent.run(&["backup"]).succeeds();
    assert_eq!(documents(&told).len(), 0, "nobody asked for successes");
    failing.run(&["backup"]).exits(1);
    failing.run(&["backup"]).exits(1);
    agent.run(&["backup"]).succeeds();
    agent.run(&["backup"]).succeeds();
    let documents_so_far = documents(&told);
    let events: Vec<&str> = documents_so_far.iter().map(|document| document["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["failed", "failed", "recovered"]);
    let failed = &documents_so_far[0];
    assert_eq!((&failed["command"], &failed["database"]), (&json!("backup"), &json!(small().name())));
    assert_eq!(failed["exit"], 1);
    assert!(failed["error"].as_str().unwrap().starts_with("cannot connect to "), "{failed}");
    assert!(failed["text"].as_str().unwrap().contains("failed: cannot connect to "), "{failed}");
    assert_eq!(documents_so_far[2]["error"], Value::Null);

    agent.setting("BACKUP_NOTIFY_ON", "always").run(&["backup"]).succeeds();
    assert_eq!(documents(&told)[3]["event"], "succeeded");
}

#[test]
fn a_service_that_is_away_fails_no_backup_and_its_address_stays_secret() {
    let (places, state) = (Places::new(), tempfile::tempdir().unwrap());
    let agent = telling(&places, &state, "http://127.0.0.1:1/very-secret-hook").setting("BACKUP_NOTIFY_ON", "always");
    let done = agent.run(&["backup"]).succeeds().mentions("warning: cannot send the notification: ");
    done.keeps_silent_about("very-secret-hook");
    places.directory_holds_one_good_backup();
}

#[test]
fn check_tells_once_a_day_what_is_wrong_and_that_it_is_right_again() {
    let (url, told) = monitor();
    let (places, state) = (Places::new(), tempfile::tempdir().unwrap());
    let wanting =
        |count: &str| telling(&places, &state, &url).setting("MIN_BACKUP_COUNT", count).setting("MIN_BACKUP_SIZE", "0");
    let (agent, unhealthy) = (wanting("1"), wanting("5"));
    agent.run(&["backup"]).succeeds();
    unhealthy.run(&["check"]).exits(6);
    unhealthy.run(&["check"]).exits(6);
    agent.run(&["check"]).succeeds();
    agent.run(&["check"]).succeeds();
    let told = documents(&told);
    let events: Vec<_> = told.iter().map(|document| (&document["command"], &document["event"])).collect();
    assert_eq!(events, [(&json!("check"), &json!("failed")), (&json!("check"), &json!("recovered"))], "{told:?}");
    assert!(told[0]["error"].as_str().unwrap().contains("1 good backup"), "{}", told[0]);
}

/// Of what fails before any database is known its own notice tells: that it began, that it is over, and that it began again.
#[test]
fn an_outage_that_is_over_is_told_and_so_is_the_next_one() {
    for command in ["check", "drill"] {
        let (url, told) = monitor();
        let (places, state) = (Places::new(), tempfile::tempdir().unwrap());
        let all = [command, "--all-databases"];
        let well = telling(&places, &state, &url).setting("MIN_BACKUP_SIZE", "0");
        well.run(&["backup"]).succeeds();
        let away = telling(&places, &state, &url).directory(&places.directory().join("away"));
        for agent in [&well, &away, &well, &well, &away] {
            agent.run(&all);
        }
        let told = documents(&told);
        let events: Vec<_> = told.iter().map(|document| document["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["failed", "recovered", "failed"], "{command}: {told:#?}");
        assert!(told.iter().all(|document| document["command"] == command), "{told:#?}");
    }
}

#[test]
fn commands_run_before_and_after_a_backup_and_know_what_became_of_it() {
    let places = Places::new();
    let log = places.directory().parent().unwrap().join("hooks");
    let said = |what: &str| {
        format!("echo {what} $LASTGOOD_DATABASE $LASTGOOD_RESULT $LASTGOOD_EXIT $LASTGOOD_BACKUP >> {}", log.display())
    };
    let with = |name: &str, value: &str| {
        let agent = agent().database(small()).directory(&places.directory()).setting("BACKUP_BEFORE", said("before"));
        let agent = agent.setting("BACKUP_AFTER", said("after")).setting("BACKUP_ON_FAILURE", said("failed"));
        agent.setting(name, value)
    };
    let lines = || {
        let text = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let name = small().name();
    with("BACKUP_NICE", "0").run(&["backup", "--name", "first"]).succeeds();
    let archive = places.directory().join(format!("{name}_backup_first.sql.gz"));
    assert_eq!(lines(), [format!("before {name}"), format!("after {name} done 0 {}", archive.display())]);

    with("DB_PORT", "1").run(&["backup"]).exits(1);
    assert_eq!(
        lines(),
        [format!("before {name}"), format!("failed {name} failed 1"), format!("after {name} failed 1")]
    );

    let refused = with("BACKUP_BEFORE", "exit 7").run(&["backup", "--name", "second"]).exits(1);
    refused.mentions("BACKUP_BEFORE failed, so no backup was made: it ended with exit status: 7");
    assert_eq!(lines().len(), 2, "what comes after a failure");
    assert!(!places.directory().join(format!("{name}_backup_second.sql.gz")).exists());

    with("BACKUP_AFTER", "exit 8")
        .run(&["backup", "--name", "third"])
        .succeeds()
        .mentions("BACKUP_AFTER failed: it ended with exit status: 8");
}
