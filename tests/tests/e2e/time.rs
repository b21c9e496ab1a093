//! Wrong clocks: a backup of the future is never the latest, and is named as what it is; names are free whatever second it is.

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::seaweedfs::Seaweedfs;
use jiff::{Timestamp, ToSpan};

use e2e::past::{agent, database, days_ago, put_in_bucket, put_in_directory, stem};

/// Ten years ahead, as a host's clock was for a night.
fn ahead() -> Timestamp {
    days_ago(0) + (3_650 * 24).hours()
}

fn small(agent: Agent) -> Agent {
    agent.setting("MIN_BACKUP_SIZE", "1000").setting("MIN_BACKUP_COUNT", "2").setting("BACKUP_MIN_GOOD", "1")
}

/// Every command that shows it says so, and none takes it for the latest.
fn is_named_and_passed_over(agent: &Agent, of_the_future: &str, latest: &str) {
    agent.run(&["list"]).succeeds().mentions("good, in the future").mentions("the newest good one made");
    let listed = agent.run(&["list", "--json"]).succeeds().json();
    let listed = &listed["databases"][0];
    assert!(listed["newestGood"]["id"].as_str().unwrap().ends_with(latest), "{listed:#}");
    let rows = listed["backups"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"].as_str().unwrap().ends_with(of_the_future)).unwrap();
    assert!(row["inTheFuture"] == true && row["ageSeconds"].as_i64().unwrap() < 0, "{row:#}");

    let shown = agent.run(&["show", "latest"]).succeeds().mentions(&format!("{latest}: good\n"));
    shown.mentions(of_the_future).mentions("is not taken for the latest: a clock was wrong");
    agent.run(&["show", of_the_future]).succeeds().mentions("good, in the future").mentions("days in the future");
    agent.run(&["verify", "latest"]).succeeds().mentions(latest).keeps_silent_about(of_the_future);

    let checked = agent.run(&["check", "--json"]).exits(6).json();
    let checked = &checked["databases"][0];
    assert!(checked["newestGood"]["id"].as_str().unwrap().ends_with(latest), "{checked:#}");
    assert_eq!(checked["findings"].as_array().unwrap().len(), 1, "{checked:#}");
    assert_eq!(checked["findings"][0]["code"], "in_the_future", "{checked:#}");

    let plan = agent.run(&["prune", "--dry-run"]).succeeds().mentions("lies in the future: a clock was wrong");
    plan.mentions("nothing to remove");
}

#[test]
fn a_clock_that_was_ahead_for_one_night_makes_no_latest_in_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let database = database().name();
    [days_ago(1), days_ago(0), ahead()].into_iter().for_each(|made| put_in_directory(folder.path(), database, made));
    let agent = small(agent().database(e2e::past::database()).directory(folder.path()));
    let (future, latest) = (stem(database, ahead()), stem(database, days_ago(0)));
    // The second may have turned.
    let latest = latest.get(..latest.len() - 6).unwrap().to_owned();
    let is_latest = |name: &str| name.starts_with(&latest);
    let shown = agent.run(&["show", "latest", "--json"]).succeeds().json();
    let name = shown["id"].as_str().unwrap().to_owned();
    assert!(is_latest(&name), "{shown:#}");
    let listed = agent.run(&["list", "--json"]).succeeds().json();
    let future = listed["databases"][0]["backups"][0]["id"].as_str().map_or(future, str::to_owned);
    is_named_and_passed_over(&agent, &future, &name);

    let into = format!("{database}_ahead");
    let plan = agent.run(&["restore", "latest", "--into", &into, "--dry-run"]).succeeds().mentions(&name);
    plan.mentions(&format!("{future} lies ")).mentions("is not taken for the latest");
    agent.run(&["restore", &future, "--into", &into, "--dry-run"]).succeeds().mentions("days in the future");
    // With the others gone it is better than none.
    for row in std::fs::read_dir(folder.path()).unwrap().map(|row| row.unwrap().path()) {
        if row.is_file() && !row.to_str().unwrap().contains(&future) {
            std::fs::remove_file(row).unwrap();
        }
    }
    let plan = agent.run(&["restore", "latest", "--into", &into, "--dry-run"]).succeeds();
    plan.mentions("a clock was wrong, and others may be newer");
}

/// The store's own time is right; the name still says that a clock was not.
#[test]
fn a_clock_that_was_ahead_makes_no_latest_in_a_bucket() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let (yesterday, today, future) = (days_ago(1), days_ago(0), ahead());
    [yesterday, today, future].into_iter().for_each(|made| put_in_bucket(&bucket, "app", made));
    let agent = small(agent()).setting("DB_NAME", "app").bucket(bucket.name(), bucket.access());
    is_named_and_passed_over(&agent, &stem("app", future), &stem("app", today));
}

/// Killed runs, a clock that was set back, or one that stands still: the seconds to come have backups already.
#[test]
fn a_backup_takes_the_next_second_that_no_other_has() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().database(database()).directory(folder.path());
    let now = days_ago(0);
    let taken: Vec<String> = (0..12).map(|second| stem(database().name(), now + second.seconds())).collect();
    let file = |stem: &String| folder.path().join(format!("{stem}.sql.zst"));
    taken.iter().for_each(|stem| std::fs::write(file(stem), "a killed run's").unwrap());
    let made = agent.run(&["backup", "--json"]).succeeds().json();
    let id = made["backups"][0]["stored"][0]["id"].as_str().unwrap().to_owned();
    assert!(id > *taken.last().unwrap(), "{id}");
    assert!(taken.iter().all(|stem| std::fs::read(file(stem)).unwrap() == b"a killed run's"));
}

#[test]
fn a_folder_that_is_a_file_is_said_to_be_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let agent = agent().database(database()).directory(file.path());
    let refused = agent.run(&["backup"]).exits(1).mentions("not a directory").mentions("set BACKUP_DIR to a folder");
    refused.keeps_silent_about("already exists");
}
