//! Bucket and directory: each fails by itself, says why, and keeps nothing that isn't whole.

use e2e::bucket::{Access, Bucket};
use e2e::ministack::Ministack;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;

use super::{Places, agent, in_parts, large, small};

#[test]
fn a_network_that_goes_away_for_good_costs_the_bucket_its_copy_and_not_the_directory() {
    let places = Places::new();
    let proxy = Proxy::start(&places.bucket.access().endpoint);
    let agent = in_parts(places.both_as(agent().database(large()), &places.bucket.access().through(&proxy)));
    proxy.set(Fault::GoAway(Direction::Up, 7_000_000));
    let failed = agent.run(&["backup"]).exits(1);
    failed
        .mentions("the backup is only partly done")
        .mentions("the network is unreachable")
        .mentions("BACKUP_RETRY_MINUTES");
    assert!(proxy.has_struck());
    places.directory_holds_one_good_backup();
    places.bucket_shows_the_mark_alone();
}

#[test]
fn a_network_that_comes_back_within_the_budget_only_delays() {
    let places = Places::new();
    let proxy = Proxy::start(&places.bucket.access().endpoint);
    let agent = in_parts(places.both_as(agent().database(large()), &places.bucket.access().through(&proxy)));
    proxy.set(Fault::GoAway(Direction::Up, 7_000_000));
    let agent = agent.setting("BACKUP_RETRY_MINUTES", "1");
    let mut running = agent.start(&["backup"]);
    // More failures than the tries that any error gets: only the budget carries it on.
    running.wait_for("failed=5");
    proxy.heal();
    running.wait().succeeds();
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();
}

#[test]
fn a_network_that_comes_back_too_late_leaves_no_upload_open() {
    let places = Places::new();
    let proxy = Proxy::start(&places.bucket.access().endpoint);
    let agent = in_parts(places.both_as(agent().database(large()), &places.bucket.access().through(&proxy)));
    proxy.set(Fault::GoAway(Direction::Up, 7_000_000));
    let agent = agent.setting("BACKUP_S3_PARTS_IN_FLIGHT", "1").setting("BACKUP_RETRY_DELAY", "200ms");
    let mut running = agent.start(&["backup"]);
    running.wait_for("error: s3://");
    proxy.heal();
    running.wait().exits(1).mentions("the backup is only partly done");
    places.directory_holds_one_good_backup();
    places.bucket_holds_the_mark_alone();
}

#[test]
fn a_lost_answer_to_the_completion_is_no_failure() {
    for (database, fault) in [
        (large(), Fault::LoseAnswer("POST", "uploadId=")),
        (small(), Fault::LoseAnswer("PUT", ".sql")),
        (small(), Fault::LoseAnswer("PUT", ".manifest.json")),
    ] {
        let places = Places::new();
        let proxy = Proxy::start(&places.bucket.access().endpoint);
        let agent = in_parts(places.both_as(agent().database(database), &places.bucket.access().through(&proxy)));
        proxy.set(fault);
        let agent = agent.setting("BACKUP_RETRY_MINUTES", "1");
        agent.run(&["backup"]).succeeds();
        assert!(proxy.has_struck(), "{fault:?}");
        places.directory_holds_one_good_backup();
        places.bucket_holds_one_backup();
    }
}

#[test]
fn a_store_that_refuses_is_named_with_its_reason_and_the_directory_has_the_backup() {
    let admin = Seaweedfs::shared().admin();
    let wrong_secret = Access { secret: "wrong".into(), ..admin.clone() };
    let unknown_key = Access { key_id: "nobody".into(), ..admin };
    for (access, error, hint) in [
        (
            Seaweedfs::shared().reader(),
            "access denied (AccessDenied): s3:PutObject on s3://",
            "hint: allow s3:PutObject",
        ),
        (
            wrong_secret,
            "the store refused the access key (SignatureDoesNotMatch)",
            "hint: check the access key and its secret",
        ),
        (
            unknown_key,
            "the store refused the access key (InvalidAccessKeyId)",
            "hint: check the access key and its secret",
        ),
    ] {
        for database in [small(), large()] {
            let places = Places::new();
            let agent = in_parts(places.both_as(agent().database(database), &access));
            let failed = agent.run(&["backup"]).exits(1).mentions(error).mentions(hint);
            failed.mentions("the backup is only partly done").keeps_silent_about(&access.secret);
            places.directory_holds_one_good_backup();
            places.bucket_holds_nothing();
        }
    }
}

#[test]
fn a_bucket_that_is_missing_is_a_setting_to_mend() {
    let places = Places::new();
    let agent = agent().database(small()).bucket("no-such-bucket", &Ministack::shared().root());
    let failed = agent.run(&["backup"]).exits(2);
    failed.mentions("the bucket no-such-bucket does not exist (NoSuchBucket)").mentions("hint: check BACKUP_S3_BUCKET");
    let both = agent.directory(&places.directory());
    both.run(&["backup"]).exits(1).mentions("the backup is only partly done");
    places.directory_holds_one_good_backup();
}

/// Runs a backup into a file system of its own, mounted with these options; only this run sees it. What it leaves there
/// is listed after its output.
fn backup_on_disk(options: &str, agent: e2e::agent::Agent, bucket: Option<&Bucket>) -> (Option<i32>, String) {
    let disk = tempfile::tempdir().unwrap();
    let agent = agent.directory(&disk.path().join("backups"));
    let agent = bucket.into_iter().fold(agent, |agent, bucket| agent.bucket(bucket.name(), bucket.access()));
    let path = disk.path().display();
    let script =
        format!(r#"mount -t tmpfs -o {options} tmpfs {path} && "$0" "$@"; code=$?; find {path} -type f; exit $code"#);
    let outcome = agent.run_by(&["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &script], &["backup"]);
    (outcome.code, [outcome.stdout, outcome.stderr].concat())
}

#[test]
fn a_full_disk_is_named_and_nothing_is_left_on_it() {
    let (code, said) = backup_on_disk("size=6m", in_parts(agent().database(large())), None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error: no space left for /") && said.contains("hint: free some space: df -h /"), "{said}");
    assert!(!said.lines().any(|line| line.starts_with('/')), "files are left: {said}");

    let places = Places::new();
    let (code, said) = backup_on_disk("size=6m", in_parts(agent().database(large())), Some(&places.bucket));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the backup is only partly done") && said.contains("no space left for /"), "{said}");
    places.bucket_holds_one_backup();
}

#[test]
fn a_directory_that_may_not_be_written_is_named() {
    let (code, said) = backup_on_disk("size=6m,ro", agent().database(small()), None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("access denied (AccessDenied): file access on /") && said.contains("hint: run as"), "{said}");
}
