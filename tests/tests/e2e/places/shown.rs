//! What `list` and `check` say of several places, and that each place keeps its last good backup.

use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::seaweedfs::Seaweedfs;
use jiff::ToSpan;

use crate::json::holds;
use e2e::past::{agent, days_ago, put_in_bucket, put_in_directory, put_unjudged_in_bucket, stem};

#[test]
fn a_row_has_every_place_and_a_check_names_what_lacks_and_which_rule_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Bucket::new(&Seaweedfs::shared().admin()), Bucket::new(&Ministack::shared().root()));
    let name = "an_application";
    let now = days_ago(0);
    let made = |days: i64| now - (24 * days).hours();
    (1..4).for_each(|days| put_in_bucket(&one, name, made(days)));
    put_in_directory(folder.path(), name, made(1));
    put_unjudged_in_bucket(&two, name, made(2));
    put_in_bucket(&two, name, made(9));
    let agent = agent().setting("DB_NAME", name).setting("MIN_BACKUP_SIZE", "1").setting("MIN_BACKUP_COUNT", "1");
    let agent = agent.bucket(one.name(), one.access()).bucket_beside(2, two.name(), two.access());
    let both = agent.directory(folder.path());
    let listed = both.run(&["list"]).succeeds();
    let widest = listed.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{listed}");
    let row = |days: i64| {
        let name = stem(name, made(days));
        listed.stdout.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{name}: {listed}")).to_owned()
    };
    assert!(
        listed.stdout.lines().filter(|line| line.contains(name)).all(|line| line.chars().count() <= 80),
        "{listed}"
    );
    for (days, states) in [(1, "good  good  -"), (2, "-     good  new"), (3, "-     good  -"), (9, "-     -     good")]
    {
        assert!(row(days).ends_with(states), "{days}: {listed}");
    }
    let json = both.run(&["list", "--json"]).succeeds();
    holds("list", &json);
    let database = json.json()["databases"][0].clone();
    assert_eq!(database["backups"].as_array().unwrap().len(), 3, "{database:#}");
    assert_eq!(database["elsewhere"][0]["id"].as_str().map(|id| id.ends_with(&stem(name, made(9)))), Some(true));
    let checked = both.run(&["check"]).succeeds().mentions("HEALTHY");
    let newest = stem(name, made(1));
    let hint = format!("lastgood copy {newest} --from 1 --to 2");
    checked.mentions(&format!("note: {newest} is missing in bucket 2 (s3://{}/backups): {hint}", two.name()));
    let words: Vec<&str> = hint.split_whitespace().skip(1).collect();
    both.run(&words).succeeds().mentions("copied");
    // All of it is on this machine.
    let checked = both.run(&["check"]).succeeds().mentions("note: 3-2-1 does not hold: none on another machine");
    checked.keeps_silent_about("is missing");
    let json = both.run(&["check", "--json"]).succeeds();
    holds("check", &json);
    let places = &json.json()["databases"][0]["places"];
    assert_eq!(places.as_array().unwrap().len(), 3, "{places:#}");
    // A place that cannot be asked is said, and fails nothing.
    let away = both.setting("BACKUP_S3_ENDPOINT_2", "http://127.0.0.1:1");
    away.run(&["list"]).succeeds().mentions("bucket 2").mentions("could not be listed").mentions("  ?");
    away.run(&["check"]).succeeds().mentions("could not be asked");
}

#[test]
fn one_place_alone_is_healthy_and_told_what_3_2_1_lacks() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(0));
    let agent = agent().setting("DB_NAME", "app").setting("MIN_BACKUP_SIZE", "1").setting("MIN_BACKUP_COUNT", "1");
    let agent = agent.directory(folder.path());
    let checked = agent.run(&["check"]).succeeds().mentions("HEALTHY");
    checked.mentions("note: 3-2-1 does not hold: 2 copies instead of 3, counting the database itself, all on one kind");
    agent.run(&["check", "--repository", "1"]).succeeds().keeps_silent_about("3-2-1");
}

/// What is old in both, and newest in the second: it goes in the first alone.
#[test]
fn retention_keeps_the_last_good_backup_of_each_place() {
    let (one, two) = (Bucket::new(&Seaweedfs::shared().admin()), Bucket::new(&Ministack::shared().root()));
    [1, 300].iter().for_each(|days| put_in_bucket(&one, "app", days_ago(*days)));
    put_in_bucket(&two, "app", days_ago(300));
    let agent = agent().setting("DB_NAME", "app").setting("BACKUP_KEEP_LAST", "1").setting("BACKUP_MIN_GOOD", "1");
    let agent = agent.bucket(one.name(), one.access()).bucket_beside(2, two.name(), two.access());
    agent.run(&["prune", "--repository", "2"]).succeeds().mentions("nothing to remove");
    agent.run(&["prune"]).succeeds().mentions("1 backup removed");
    assert_eq!((one.keys().len(), two.keys().len()), (3, 3));
}
