//! `lastgood list` and `show`: what a person reads at three in the morning.

use std::process::Command;

use e2e::bucket::Bucket;
use e2e::postgres::Postgres;
use e2e::process::output;
use e2e::proxy::Proxy;
use e2e::seaweedfs::Seaweedfs;
use jiff::ToSpan;

use e2e::past::{agent, database, days_ago, dump, key, put_in_bucket, put_in_directory, stem};

fn bucket() -> Bucket {
    Bucket::new(&Seaweedfs::shared().admin())
}

#[test]
fn an_empty_repository_says_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent().setting("DB_NAME", "app");
    let nowhere = agent.directory(folder.path());
    nowhere.run(&["list"]).succeeds().mentions("There are no backups of app").mentions("lastgood backup");
    let bucket = bucket();
    let empty = nowhere.bucket(bucket.name(), bucket.access());
    empty.run(&["list"]).succeeds().mentions("There are no backups of app").mentions(bucket.name());
}

/// The folder of a disk that isn't mounted looked like one in which there never was a backup.
#[test]
fn a_folder_that_is_not_there_is_no_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("not mounted");
    let agent = agent().setting("DB_NAME", "app").directory(&nowhere);
    let looking: [&[&str]; 11] = [
        &["list"],
        &["list", "--json"],
        &["show", "latest"],
        &["diff", "latest~1", "latest"],
        &["accept", "latest"],
        &["verify", "--all"],
        &["adopt", "--all"],
        &["report"],
        &["prune", "--all-databases", "--dry-run"],
        &["drill"],
        &["drill", "--all-databases"],
    ];
    for command in looking {
        let told = agent.run(command).exits(5);
        told.mentions(&format!("{} does not exist", nowhere.display())).mentions("check that its disk is mounted");
    }
    assert!(!nowhere.exists());
}

/// In a key such a name begins with a dot. Its backups were made, and then nothing knew of them: not even what removes old ones.
#[test]
fn a_name_that_is_not_ascii_or_begins_with_a_dot_hides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let names = [".hidden", "Übersicht"];
    let [new, second, old] = [1, 2, 90].map(days_ago);
    for name in names {
        [new, second, old].into_iter().for_each(|made| put_in_directory(folder.path(), name, made));
        let agent = agent().setting("DB_NAME", name).directory(folder.path());
        let agent = agent.setting("BACKUP_MIN_GOOD", "1").setting("MIN_BACKUP_COUNT", "1");
        agent.run(&["list"]).succeeds().mentions(&format!("{name}: 3 backups, 3 good"));
        agent.run(&["show", "latest"]).succeeds().mentions(&stem(name, new));
        agent.run(&["verify", "latest"]).succeeds();
        agent.run(&["check"]).succeeds().mentions(&format!("HEALTHY: {name}"));
        agent.run(&["prune"]).succeeds().mentions(&stem(name, old));
        agent.run(&["list"]).succeeds().mentions(&format!("{name}: 2 backups, 2 good"));
    }
    let all = agent().directory(folder.path());
    all.run(&["list", "--all-databases"]).succeeds().mentions(names[0]).mentions(names[1]);
    let page = folder.path().join("page.html");
    all.run(&["report", "--all-databases", "--output", page.to_str().unwrap()]).exits(0).mentions("2 databases");
}

#[test]
fn rows_stand_newest_first_with_state_age_size_tables_and_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (days_ago(3), days_ago(1));
    [old, new].into_iter().for_each(|made| put_in_directory(folder.path(), "app", made));
    std::fs::remove_file(folder.path().join(format!("{}.intact.json", stem("app", new)))).unwrap();
    std::fs::write(folder.path().join("app_backup_initial.sql.gz"), dump()).unwrap();
    let agent = agent().setting("DB_NAME", "app").directory(folder.path());
    let shown = agent.run(&["list"]).succeeds().mentions("app: 3 backups, ").stdout;
    let rows: Vec<Vec<&str>> = shown.lines().skip(4).map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..3], ["app_backup_initial", "guest", "guest"], "{shown}");
    assert_eq!(rows[1][..3], [&stem("app", new), "uploaded", "backup"], "{shown}");
    assert_eq!(rows[2][1..4], ["good", "backup", "3d"], "{shown}");
    assert_eq!(rows[2][6..], ["2", "3,002"], "{shown}");
    let limited = agent.run(&["list", "--limit", "1"]).succeeds().mentions("app: 3 backups").mentions("and 2 older");
    assert!(!limited.stdout.contains(rows[2][0]), "{limited}");
}

#[test]
fn no_good_backup_is_said_loudly() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app_backup_20260101_030000.sql.gz"), dump()).unwrap();
    let agent = agent().setting("DB_NAME", "app").directory(folder.path());
    agent.run(&["list"]).succeeds().mentions("NONE OF THEM GOOD").mentions("lastgood adopt --all");
}

/// The guide's listing took the first thirty keys in the order of the alphabet: with more, the newest never came up.
#[test]
fn the_newest_of_forty_backups_is_listed_first_and_is_the_latest() {
    let bucket = bucket();
    let oldest_first = (0..40).rev();
    oldest_first.for_each(|days| put_in_bucket(&bucket, "app", days_ago(days)));
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), bucket.access());
    let listed = agent.run(&["list", "--json"]).succeeds().json();
    let ids: Vec<&str> =
        listed["databases"][0]["backups"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 40);
    assert!(ids.is_sorted_by(|newer, older| newer > older), "{ids:#?}");
    let latest = agent.run(&["show", "latest", "--json"]).succeeds().json();
    assert_eq!(latest["id"].as_str(), Some(ids[0]));
}

/// The guide's "latest" was any name that ended in `.sql.gz`, another database's too.
#[test]
fn another_database_s_backups_are_named_and_never_taken() {
    let bucket = bucket();
    put_in_bucket(&bucket, "app", days_ago(2));
    put_in_bucket(&bucket, "app_staging", days_ago(1));
    put_in_bucket(&bucket, "app_backup_old", days_ago(1));
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), bucket.access());
    let listed = agent.run(&["list", "--json"]).succeeds().json();
    assert_eq!(listed["databases"].as_array().unwrap().len(), 1);
    assert_eq!(listed["databases"][0]["backups"].as_array().unwrap().len(), 1);
    assert_eq!(listed["otherDatabases"], serde_json::json!(["app_backup_old", "app_staging"]));
    agent.run(&["list"]).mentions("Other databases with backups here: app_backup_old, app_staging");
    for arguments in [["show", "latest"], ["verify", "latest"]] {
        agent.run(&arguments).succeeds().mentions("app_backup_").keeps_silent_about("staging");
    }
    let all = agent.run(&["list", "--all-databases", "--json"]).succeeds().json();
    assert_eq!(all["databases"].as_array().unwrap().len(), 3);
}

#[test]
fn a_long_list_costs_the_listing_alone() {
    let bucket = bucket();
    for days in 0..51 {
        let made = days_ago(days);
        bucket.put(&key("app", made, ".sql.gz"), b"x");
        bucket.put(&key("app", made, ".manifest.json"), b"x");
    }
    let proxy = Proxy::start(&bucket.access().endpoint);
    let through = bucket.access().through(&proxy);
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), &through);
    agent.run(&["list"]).succeeds().mentions("app: 51 backups");
    assert_eq!(proxy.requests().len(), 1, "{:#?}", proxy.requests());
}

#[test]
fn show_tells_everything_and_its_recipe_restores_without_lastgood() {
    let folder = tempfile::tempdir().unwrap();
    let made = days_ago(1) + 1.hour();
    put_in_directory(folder.path(), "shown", made);
    let agent = agent().setting("DB_NAME", "shown").directory(folder.path());
    let name = stem("shown", made);
    let words = agent.run(&["show", &name]).succeeds();
    for fact in [
        "good",
        "MD5 ",
        "made by    lastgood ",
        "intact, ",
        "2 tables, 3,002 rows",
        "public.large",
        "lastgood restore ",
    ] {
        assert!(words.stdout.contains(fact), "nothing about {fact}\n{words}");
    }
    let shown = agent.run(&["show", &name, "--json"]).succeeds().json();
    assert_eq!(shown["manifest"]["stem"].as_str(), Some(name.as_str()));
    assert_eq!(shown["verdicts"][0]["counts"], true);
    let by_hand = shown["restore"]["byHand"].as_str().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-ec", by_hand]).envs(database().libpq_environment());
    let typed = output(&mut shell);
    assert!(typed.status.success(), "{by_hand}\n{}", String::from_utf8_lossy(&typed.stderr));
    assert_eq!(Postgres::shared().database("shown_restored").as_sql(), database().as_sql());
}

#[test]
fn a_backup_that_is_not_there_is_told_from_a_name_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(1));
    let agent = agent().setting("DB_NAME", "app").directory(folder.path());
    agent.run(&["show", "app_backup_20200101_000000"]).exits(5).mentions("has no backup `app_backup_20200101_000000`");
    agent.run(&["show", "nonsense"]).exits(5).mentions("is not a backup's name").mentions("lastgood list");
}
