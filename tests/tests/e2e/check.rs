//! `lastgood check` and `retire`: what monitoring asks.

use catalog::drill::{Drill, DrillStatus};
use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::history;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use serde_json::json;

use e2e::past::{agent, days_ago, drill, dump, key, put_in_bucket, put_in_directory, stem};

/// Asks for backups that the tests' small database can make.
fn small(agent: Agent) -> Agent {
    agent.setting("DB_NAME", "app").setting("MIN_BACKUP_SIZE", "1000").setting("MIN_BACKUP_COUNT", "3")
}

fn codes(agent: &Agent, exit: i32) -> Vec<String> {
    let checked = agent.run(&["check", "--json"]).exits(exit).json();
    assert_eq!(checked["healthy"], exit == 0, "{checked:#}");
    let findings = checked["databases"][0]["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn recent_large_and_many_enough_is_healthy() {
    let folder = tempfile::tempdir().unwrap();
    (0..3).for_each(|days| put_in_directory(folder.path(), "app", days_ago(days)));
    let agent = small(agent()).directory(folder.path());
    assert_eq!(codes(&agent, 0), [""; 0]);
    assert!(agent.run(&["check"]).succeeds().stdout.starts_with("HEALTHY: app: newest good backup made "));
}

/// The guide counted its small files in a subshell: the count was lost, and its check always passed.
#[test]
fn small_backups_are_counted_and_the_check_fails() {
    let folder = tempfile::tempdir().unwrap();
    (0..3).for_each(|days| put_in_directory(folder.path(), "app", days_ago(days)));
    let agent = small(agent()).directory(folder.path()).setting("MIN_BACKUP_SIZE", "1GiB");
    let checked = agent.run(&["check", "--json"]).exits(6).json();
    let finding = &checked["databases"][0]["findings"][0];
    assert_eq!((&finding["code"], &finding["count"]), (&json!("too_small"), &json!(3)), "{checked:#}");
    agent.run(&["check"]).exits(6).mentions("UNHEALTHY: app: 3 good backups have fewer than");
}

#[test]
fn stale_few_and_never_are_unhealthy() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(2));
    let old = small(agent()).directory(folder.path());
    assert_eq!(codes(&old, 6), ["stale", "too_few"]);
    let other = old.setting("DB_NAME", "app_staging");
    assert_eq!(codes(&other, 6), ["never"]);
}

#[test]
fn what_cannot_be_asked_is_a_failure_and_never_healthy() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let proxy = Proxy::start(&bucket.access().endpoint);
    let away = small(agent()).bucket(bucket.name(), &bucket.access().through(&proxy));
    proxy.set(Fault::GoAway(Direction::Down, 0));
    away.run(&["check"]).exits(1).mentions("error: ").mentions("hint: ");
    let unmounted = small(agent()).setting("BACKUP_DIR", "/nonexistent/disk");
    unmounted.run(&["check"]).exits(1).mentions("check that its disk is mounted");
}

#[test]
fn a_backup_that_waits_for_its_verdict_is_named() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    put_in_bucket(&bucket, "app", days_ago(3));
    let newest = days_ago(0);
    put_in_bucket(&bucket, "app", newest);
    bucket.delete(&key("app", newest, ".intact.json"));
    let agent = small(agent()).bucket(bucket.name(), bucket.access());
    agent
        .run(&["check"])
        .exits(6)
        .mentions("3 days old")
        .mentions("is newer but not verified yet: lastgood verify app_backup_");
}

/// Dozens of requests would be dozens of seconds of a monitor's minute, and money.
#[test]
fn a_check_costs_the_same_whatever_lies_below() {
    let costs = [400, 900].map(|count| {
        let bucket = Bucket::new(&Seaweedfs::shared().admin());
        history::fill(&bucket, &["app"], count);
        put_in_bucket(&bucket, "app", days_ago(0));
        let proxy = Proxy::start(&bucket.access().endpoint);
        let agent = small(agent()).bucket(bucket.name(), &bucket.access().through(&proxy));
        agent.setting("MIN_BACKUP_SIZE", "0").run(&["check"]).succeeds();
        proxy.requests().len()
    });
    // 1,600 and 3,600 objects are two and four pages of a listing; the oldest are looked for on two.
    assert_eq!(costs[1], costs[0]);
}

#[test]
fn a_retired_database_is_not_missed_until_a_backup_comes_all_the_same() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    put_in_bucket(&bucket, "app", days_ago(9));
    let agent = small(agent()).bucket(bucket.name(), bucket.access()).setting("MIN_BACKUP_COUNT", "1");
    agent.run(&["check"]).exits(6);
    agent.run(&["retire", "app"]).exits(1).mentions("--confirm");
    agent.run(&["retire", "no_such"]).exits(5).mentions("app");
    agent.run(&["retire", "app", "--confirm"]).succeeds().mentions("was retired on").mentions("Backups kept: 1");
    assert!(bucket.get_json("backups/databases/app.json")["retired"].is_string());
    agent.run(&["check"]).succeeds().mentions("retired on");
    agent.run(&["check", "--all-databases"]).succeeds();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    put_in_bucket(&bucket, "app", days_ago(0));
    agent.run(&["check"]).succeeds().keeps_silent_about("retired");
}

#[test]
fn guests_alone_are_no_good_backup() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app_backup_20260101_030000.sql.gz"), dump()).unwrap();
    assert_eq!(codes(&small(agent()).directory(folder.path()), 6), ["never"]);
}

/// What freshness leaves in a bucket.
fn leave_status(bucket: &Bucket, measured: jiff::Timestamp, listeners: Option<u64>) {
    let status = json!({"version": 1, "measured": measured, "listeners": listeners, "unconfirmed": 1, "standing": []});
    bucket.put("backups/status/freshness.json", status.to_string().as_bytes());
}

#[test]
fn nobody_confirmed_the_mail_or_the_stack_is_gone_and_the_host_says_so() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    (0..3).for_each(|days| put_in_bucket(&bucket, "app", days_ago(days)));
    let agent = small(agent()).bucket(bucket.name(), bucket.access());
    assert_eq!(agent.run(&["check", "--json"]).succeeds().json()["cloud"], json!(null), "without a stack");
    let codes = |exit| {
        let checked = agent.run(&["check", "--json"]).exits(exit).json();
        let findings = checked["cloud"]["findings"].as_array().unwrap().clone();
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let now = jiff::Timestamp::now();
    leave_status(&bucket, now, Some(1));
    assert_eq!(codes(0), [""; 0]);
    leave_status(&bucket, now, None);
    assert_eq!(codes(0), [""; 0], "it could not ask");
    leave_status(&bucket, now, Some(0));
    assert_eq!(codes(6), ["nobody_listens"]);
    agent
        .run(&["check"])
        .exits(6)
        .mentions("UNHEALTHY: the AWS stack: nobody gets the alarms: 1 subscription not confirmed");
    leave_status(&bucket, days_ago(1), Some(1));
    assert_eq!(codes(6), ["cloud_stopped"]);
    agent.run(&["check"]).exits(6).mentions("nothing was measured for 24 hours").mentions("--no-stack");
    agent.run(&["check", "--no-stack"]).succeeds();
    bucket.put("backups/status/freshness.json", b"{");
    agent.run(&["check"]).succeeds().keeps_silent_about("stack");
}

#[test]
fn a_broken_mark_is_mended_by_expecting_the_database_anew() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(0));
    std::fs::create_dir(folder.path().join("databases")).unwrap();
    std::fs::write(folder.path().join("databases/app.json"), "{").unwrap();
    let agent = agent().setting("DB_NAME", "app").directory(folder.path());
    agent.run(&["retire", "app", "--confirm"]).exits(1).mentions("databases/app.json");
    agent.run(&["expect", "app", "--max-age", "2h"]).succeeds().mentions("at most 2 hours old");
    agent.run(&["retire", "app", "--confirm"]).succeeds();
}

/// What a drill leaves in a directory: beside its backup, and about its database.
fn leave_drill(folder: &std::path::Path, before: Option<DrillStatus>, drill: Drill) -> DrillStatus {
    let drills = folder.join("status/drills");
    std::fs::create_dir_all(&drills).unwrap();
    std::fs::write(folder.join(format!("{}.drill.json", drill.backup)), drill.to_json().unwrap()).unwrap();
    let status = DrillStatus::after(before, drill);
    std::fs::write(drills.join("app.json"), status.to_json().unwrap()).unwrap();
    status
}

#[test]
fn drills_count_where_they_are_asked_for_and_one_that_failed_is_named_anyway() {
    let folder = tempfile::tempdir().unwrap();
    let made: Vec<_> = (0..3).map(days_ago).collect();
    made.iter().for_each(|made| put_in_directory(folder.path(), "app", *made));
    let agent = small(agent()).directory(folder.path());
    let asked = |age: &str, exit: i32| {
        let checked = agent.run(&["check", "--max-drill-age", age, "--json"]).exits(exit).json();
        checked["databases"][0]["findings"][0]["code"].as_str().map(str::to_owned)
    };
    agent.run(&["check"]).succeeds().keeps_silent_about("drill");
    assert_eq!(asked("35d", 6).as_deref(), Some("never_drilled"));

    let passed = leave_drill(folder.path(), None, drill("app", made[1], days_ago(1), true));
    assert_eq!(asked("35d", 0), None);
    assert_eq!(asked("12h", 6).as_deref(), Some("drill_old"));
    agent.run(&["check"]).succeeds().mentions("restored and compared 24 hours ago");
    let strict = small(e2e::past::agent()).directory(folder.path()).setting("BACKUP_MAX_DRILL_AGE", "12h");
    strict
        .run(&["check"])
        .exits(6)
        .mentions("the last drill of database `app` that passed is 24 hours ago, more than 12 hours");
    strict.run(&["check", "--max-drill-age", "2d"]).succeeds();

    let stem_of = |days: usize| stem("app", made[days]);
    leave_drill(folder.path(), Some(passed), drill("app", made[0], days_ago(0), false));
    let said = "the last drill of database `app` failed, with ";
    agent.run(&["check"]).succeeds().mentions("HEALTHY").mentions(&format!("note: {said}{}", stem_of(0)));
    agent
        .run(&["check", "--max-drill-age", "35d"])
        .exits(6)
        .mentions("table public.small has 1 row, and 2 were dumped");
    assert_eq!(asked("35d", 6).as_deref(), Some("drill_failed"));
    let list = agent.run(&["list"]).succeeds().mentions("good, DRILL FAILED").mentions("good, drilled");
    assert_eq!(list.stdout.matches("rill").count(), 1, "{list}");
    let listed = agent.run(&["list", "--json"]).succeeds().json();
    let drills: Vec<_> = (0..3).map(|row| listed["databases"][0]["backups"][row]["drill"].clone()).collect();
    assert_eq!(json!(drills), json!(["failed", "passed", null]));
    let shown = agent.run(&["show", &stem_of(1)]).succeeds();
    shown
        .mentions("drill      passed, ")
        .mentions("onto a temporary server (PostgreSQL 15.14), in 120.0 s: rows 1.5 s")
        .mentions("compared 2 tables, 3,002 rows, 1 sequence, 9 definitions, 1 check")
        .mentions("not compared: the publication p")
        .mentions(&format!("with {}; the last that passed ended", stem_of(0)));
    agent.run(&["show", "latest"]).succeeds().mentions("drill      FAILED, ").keeps_silent_about("last drill");
    let never = agent.run(&["show", &stem_of(2)]).succeeds();
    never.mentions("last drill FAILED, ");

    std::fs::write(folder.path().join("status/drills/app.json"), "{").unwrap();
    agent.run(&["check"]).succeeds().mentions("note: nothing is known of the drills of database `app`");
    assert_eq!(asked("35d", 6).as_deref(), Some("drill_unknown"));
}
