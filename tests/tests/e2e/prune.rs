//! `lastgood prune`: the plan, and that the act is the plan.

use std::path::Path;

use e2e::answering::answering;
use e2e::bucket::Bucket;
use e2e::seaweedfs::Seaweedfs;
use jiff::Timestamp;
use serde_json::Value;

use e2e::past::{agent, days_ago, dump, put_in_bucket, put_in_directory, stem};

fn names(directory: &Path) -> Vec<String> {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut archives: Vec<String> = files.filter_map(|name| Some(name.strip_suffix(".sql.gz")?.to_owned())).collect();
    archives.sort();
    archives
}

/// The names that a plan decides so about, oldest first.
fn decided(answer: &Value, decision: &str) -> Vec<String> {
    let rows = answer["databases"][0]["plan"].as_array().unwrap().iter().rev();
    let rows = rows.filter(|row| row["decision"] == decision);
    rows.map(|row| row["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn the_act_is_what_the_dry_run_said() {
    let folder = tempfile::tempdir().unwrap();
    let made: Vec<Timestamp> = (0..6).map(|n| days_ago(n * 10)).collect();
    made.iter().for_each(|made| put_in_directory(folder.path(), "app", *made));
    put_in_directory(folder.path(), "app_staging", days_ago(400));
    std::fs::write(folder.path().join("app_backup_initial.sql.gz"), dump()).unwrap();
    let before = names(folder.path());
    let agent = agent().setting("DB_NAME", "app").directory(folder.path()).setting("BACKUP_MIN_GOOD", "2");
    let said = agent.run(&["prune", "--dry-run", "--json"]).succeeds().json();
    assert_eq!(names(folder.path()), before, "a dry run removes nothing");
    assert_eq!(decided(&said, "remove"), [stem("app", made[5]), stem("app", made[4])]);
    agent
        .run(&["prune", "--dry-run"])
        .succeeds()
        .mentions("2 backups would be removed")
        .mentions("older than 30 days by 20 days");
    agent.run(&["prune"]).succeeds().mentions("2 backups removed").mentions("guest: never removed");
    let kept: Vec<String> = before.into_iter().filter(|name| !decided(&said, "remove").contains(name)).collect();
    assert_eq!(names(folder.path()), kept);
    let files = std::fs::read_dir(folder.path()).unwrap();
    let left =
        files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains(&stem("app", made[5])));
    assert_eq!(left.count(), 0, "records go with their archive");
    agent.run(&["prune"]).succeeds().mentions("nothing to remove");
}

#[test]
fn keep_rules_alone_decide_where_no_age_was_set() {
    let folder = tempfile::tempdir().unwrap();
    (0..4).for_each(|n| put_in_directory(folder.path(), "app", days_ago(n)));
    let agent = agent().setting("DB_NAME", "app").directory(folder.path()).setting("BACKUP_MIN_GOOD", "1");
    let agent = agent.setting("BACKUP_KEEP_LAST", "3");
    agent.run(&["prune"]).succeeds().mentions("no rule keeps it").mentions("last 3 of 3");
    assert_eq!(names(folder.path()).len(), 3);
}

#[test]
fn more_than_half_needs_force() {
    let folder = tempfile::tempdir().unwrap();
    (0..4).for_each(|n| put_in_directory(folder.path(), "app", days_ago(n * 100)));
    let agent = agent().setting("DB_NAME", "app").directory(folder.path()).setting("BACKUP_MIN_GOOD", "1");
    for arguments in [["prune", "--dry-run"].as_slice(), &["prune"]] {
        let refused = agent.run(arguments).exits(1).mentions("3 of 4 good backups would go").mentions("--force");
        assert!(refused.stdout.contains("NOTHING IS REMOVED") && refused.stderr.contains("hint: "), "{refused}");
    }
    assert_eq!(names(folder.path()).len(), 4);
    agent.run(&["prune", "--force"]).succeeds().mentions("3 backups removed");
    assert_eq!(names(folder.path()).len(), 1);
}

/// Retention by age alone deleted the last good backup once backups had stopped.
#[test]
fn when_backups_stop_the_old_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    (0..3).for_each(|n| put_in_directory(folder.path(), "app", days_ago(1000 + n)));
    let agent = agent().setting("DB_NAME", "app").directory(folder.path()).setting("BACKUP_MIN_GOOD", "1");
    agent.run(&["prune", "--force"]).succeeds().mentions("nothing to remove, 3 backups kept");
}

#[test]
fn a_bucket_loses_every_version_of_what_goes_and_nothing_else() {
    let bucket = Bucket::versioned(&Seaweedfs::shared().admin());
    let made: Vec<Timestamp> = (0..4).map(days_ago).collect();
    made.iter().for_each(|made| put_in_bucket(&bucket, "app", *made));
    // A verdict given again, and a neighbour.
    put_in_bucket(&bucket, "app", made[3]);
    put_in_bucket(&bucket, "app_staging", days_ago(9));
    bucket.put("backups/notes.txt", b"mine");
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), bucket.access());
    let agent = agent.setting("BACKUP_KEEP_LAST", "3").setting("BACKUP_MIN_GOOD", "1");
    let before = bucket.keys().len();
    agent.run(&["prune"]).succeeds().mentions("1 backup removed");
    assert!(bucket.versions().iter().all(|version| !version.key.contains(&stem("app", made[3]))));
    assert_eq!(bucket.keys().len(), before - 3);
}

#[test]
fn local_copies_go_when_the_bucket_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let made: Vec<Timestamp> = (0..3).map(|n| days_ago(n * 40)).collect();
    made.iter().for_each(|made| put_in_directory(folder.path(), "app", *made));
    put_in_bucket(&bucket, "app", made[1]);
    let agent = agent().setting("DB_NAME", "app").directory(folder.path()).bucket(bucket.name(), bucket.access());
    agent.run(&["prune", "--repository", "directory"]).succeeds().mentions("not in the bucket");
    assert_eq!(names(folder.path()), [stem("app", made[2]), stem("app", made[0])]);
}

#[test]
fn without_a_name_nothing_is_removed_of_databases_that_share_the_place() {
    let folder = tempfile::tempdir().unwrap();
    (0..6).for_each(|n| put_in_directory(folder.path(), "theirs", days_ago(n * 10)));
    let agent = agent().directory(folder.path()).setting("BACKUP_MIN_GOOD", "2");
    agent.run(&["prune", "--dry-run"]).succeeds().mentions("2 backups would be removed");
    agent.run(&["prune"]).exits(2).mentions("no database is set").mentions("--all-databases");
    assert_eq!(names(folder.path()).len(), 6);
    agent.run(&["prune", "--all-databases"]).succeeds().mentions("2 backups removed");
}

#[test]
fn what_went_is_said_before_what_kept_the_run_from_the_rest() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    for database in ["app", "shop"] {
        (0..3).for_each(|days| put_in_bucket(&bucket, database, days_ago(days)));
    }
    // Before a backup goes it is listed once more.
    let refusing = answering(bucket.access(), |line| {
        line.contains("shop_backup_").then_some(("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"))
    });
    let agent =
        agent().bucket(bucket.name(), &refusing).setting("BACKUP_KEEP_LAST", "2").setting("BACKUP_MIN_GOOD", "1");
    let agent = agent.setting("BACKUP_RETENTION_DAYS", "0").setting("BACKUP_S3_DELETE_DAYS", "0");
    let run = agent.run(&["prune", "--all-databases", "--quiet"]).exits(1);
    assert!(run.stdout.contains("app: 1 backup removed"), "{run}");
    run.mentions("shop: its removals broke off, and some may have been made: ").mentions("hint: ");
    let left =
        |database: &str| bucket.keys().iter().filter(|key| key.contains(&format!("/{database}_backup_"))).count();
    assert_eq!((left("app"), left("shop")), (6, 9), "three objects of each backup");
}

/// Its disk may not be mounted: nothing is known of what is there.
#[test]
fn a_directory_that_is_not_there_is_not_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().setting("DB_NAME", "app").directory(&folder.path().join("unmounted"));
    for command in [&["prune"][..], &["prune", "--dry-run"], &["verify", "--all"], &["adopt", "--all"]] {
        agent.run(command).exits(5).mentions("unmounted").mentions("does not exist");
    }
    let empty = agent.directory(folder.path());
    empty.run(&["verify", "--all"]).succeeds().mentions("Nothing to verify in ").mentions("there are no backups");
}
