//! `lastgood verify`: bytes are read, verdicts stored, and what nobody could read is never judged.

use e2e::bucket::Bucket;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;

use e2e::past::{agent, database, days_ago, dump, key, put_in_bucket, put_in_directory, stem};

fn bucket() -> Bucket {
    Bucket::new(&Seaweedfs::shared().admin())
}

#[test]
fn anybody_s_dump_is_read_to_its_end_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("from elsewhere.dump");
    std::fs::write(&path, dump()).unwrap();
    let path = path.to_str().unwrap();
    let agent = agent();
    agent.run(&["verify", path]).succeeds().mentions("intact").mentions("2 tables, 3,002 rows");
    let census = agent.run(&["verify", path, "--json"]).succeeds().json()["verified"][0]["census"].clone();
    assert_eq!(census["tables"][0]["rows"], 3000, "{census:#}");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "a file of no repository gets no verdict beside it"
    );
}

/// `pg_restore --list`, the guide's test, passes the first of them: it reads no further than the table of contents.
#[test]
fn half_a_dump_sql_of_nobody_s_and_nothing_at_all_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app_backup_20260101_030000.sql.gz");
    let half = &dump()[..dump().len() / 2];
    let sql = database().dump(&["--format=plain"]);
    let half_of_sql = &sql[..sql.len() / 2];
    for (bytes, word) in
        [(half, "cut off"), (half_of_sql, "cut off"), (b"SELECT 1;\n", "plain SQL"), (&[], "single byte")]
    {
        std::fs::write(&path, bytes).unwrap();
        agent().run(&["verify", path.to_str().unwrap()]).exits(4).mentions("DAMAGED").mentions(word);
    }
}

#[test]
fn a_flipped_bit_in_the_bucket_is_a_stored_verdict() {
    let bucket = bucket();
    let made = days_ago(1);
    put_in_bucket(&bucket, "app", made);
    bucket.flip_bit(&key("app", made, ".sql.gz"), 5_000);
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), bucket.access());
    let found = agent.run(&["verify", "latest", "--json"]).exits(4).json();
    assert_eq!((&found["damaged"], &found["verified"][0]["written"]), (&1.into(), &true.into()), "{found:#}");
    let verdict = bucket.get_json(&key("app", made, ".damaged.json"));
    assert_eq!(verdict["findings"], found["verified"][0]["verdict"]["findings"]);
    agent.run(&["list"]).succeeds().mentions("damaged").mentions("NONE OF THEM GOOD");
}

#[test]
fn all_reads_what_nobody_has_verified_guests_too_and_misses_what_vanished() {
    let folder = tempfile::tempdir().unwrap();
    let (good, new, gone) = (days_ago(4), days_ago(3), days_ago(2));
    [good, new, gone].into_iter().for_each(|made| put_in_directory(folder.path(), "app", made));
    let path = |made, suffix: &str| folder.path().join(format!("{}{suffix}", stem("app", made)));
    std::fs::remove_file(path(new, ".intact.json")).unwrap();
    std::fs::remove_file(path(gone, ".sql.gz")).unwrap();
    std::fs::write(folder.path().join("app_backup_initial.sql.gz"), dump()).unwrap();
    let agent = agent().setting("DB_NAME", "app").directory(folder.path());
    let found = agent.run(&["verify", "--all", "--json"]).exits(4).json();
    assert_eq!((&found["intact"], &found["damaged"]), (&2.into(), &1.into()), "{found:#}");
    assert!(path(gone, ".damaged.json").exists() && path(new, ".intact.json").exists());
    agent.run(&["verify", "--all"]).succeeds().mentions("Nothing to verify in ");
    agent.run(&["verify", "--all", "--force"]).exits(4).mentions("3 intact, 1 damaged").mentions("isn't there");
}

#[test]
fn archives_of_backups_that_were_cut_off_are_counted_and_are_no_backups() {
    let bucket = bucket();
    bucket.put_with(&key("app", days_ago(1), ".sql.gz"), dump(), &[("lastgood-id", "1"), ("database", "app")]);
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), bucket.access());
    let run = agent.run(&["verify", "--all"]).succeeds().mentions("there are no backups");
    run.mentions("1 archive without a manifest, of backups that were cut off");
}

#[test]
fn who_may_not_write_is_told_the_verdict_all_the_same() {
    let bucket = bucket();
    let made = days_ago(1);
    put_in_bucket(&bucket, "app", made);
    bucket.delete(&key("app", made, ".intact.json"));
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), &Seaweedfs::shared().reader());
    agent.run(&["verify", "latest"]).succeeds().mentions("intact").mentions("The verdict was not stored");
    assert!(!bucket.keys().contains(&key("app", made, ".intact.json")));
    bucket.flip_bit(&key("app", made, ".sql.gz"), 5_000);
    agent.run(&["verify", "--all"]).exits(4).mentions("DAMAGED").mentions("The verdict was not stored");
}

#[test]
fn what_cannot_be_read_is_no_verdict() {
    let bucket = bucket();
    let made = days_ago(1);
    put_in_bucket(&bucket, "app", made);
    bucket.delete(&key("app", made, ".intact.json"));
    let unjudged = bucket.keys();
    let blind = agent().setting("DB_NAME", "app").bucket(bucket.name(), &Seaweedfs::shared().writer());
    blind.run(&["verify", "latest"]).exits(1).mentions("AccessDenied").mentions("hint: ");
    blind.run(&["verify", "--all"]).exits(1).mentions("1 not readable");
    let proxy = Proxy::start(&bucket.access().endpoint);
    let away = blind.bucket(bucket.name(), &bucket.access().through(&proxy));
    proxy.set(Fault::GoAway(Direction::Down, 0));
    away.run(&["verify", "latest"]).exits(1).mentions("network");
    assert_eq!(bucket.keys(), unjudged);
}

#[test]
fn a_file_of_the_directory_is_its_backup_there() {
    let folder = tempfile::tempdir().unwrap();
    let made = days_ago(1);
    put_in_directory(folder.path(), "app", made);
    let path = |suffix: &str| folder.path().join(format!("{}{suffix}", stem("app", made)));
    let (path, verdict) = (path(".sql.gz"), path(".intact.json"));
    std::fs::remove_file(&verdict).unwrap();
    let agent = agent().setting("DB_NAME", "app").directory(folder.path());
    agent.run(&["verify", path.to_str().unwrap()]).succeeds().mentions("The verdict was stored beside it");
    assert!(verdict.exists());
    agent.run(&["verify", "/nonexistent.sql.gz"]).exits(5).mentions("neither a file nor the name of a backup");
}
