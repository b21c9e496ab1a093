//! Agents of several hosts that want the same at the same time: whoever is told of success has a whole backup, and nothing else is left.

use e2e::agent::{Agent, Running};
use e2e::bounds::wait_until;
use e2e::bucket::{Bucket, is_archive};
use e2e::seaweedfs::Seaweedfs;

use crate::backup::{agent, in_parts, large, small};

const HOSTS: usize = 6;

/// Each with locks of its own, as on a host of its own.
fn hosts(bucket: &Bucket) -> Vec<Agent> {
    let settings = || agent().bucket(bucket.name(), bucket.access()).setting("BACKUP_RETRY_MINUTES", "1");
    (0..HOSTS).map(|_| settings()).collect()
}

/// Runs all of them at once; how many were told of success.
fn all_at_once(agents: &[Agent], arguments: &[&str]) -> usize {
    let running: Vec<Running> = agents.iter().map(|agent| agent.start(arguments)).collect();
    let ended: Vec<_> = running.into_iter().map(Running::wait).collect();
    for outcome in &ended {
        let is_told =
            outcome.code == Some(0) || outcome.stderr.contains("error: ") && outcome.stderr.contains("hint: ");
        assert!(is_told, "{outcome}");
    }
    ended.iter().filter(|outcome| outcome.code == Some(0)).count()
}

/// So many backups are there, each of them whole, and nothing beside them.
fn holds_whole(bucket: &Bucket, count: usize) {
    let keys = bucket.keys();
    let manifests = keys.iter().filter(|key| key.ends_with(".manifest.json")).count();
    assert_eq!(manifests, count, "{keys:?}");
    let judge = agent().database(small()).bucket(bucket.name(), bucket.access());
    judge.run(&["verify", "--all"]).succeeds();
    assert!(!bucket.keys().iter().any(|key| key.ends_with(".damaged.json")), "{:?}", bucket.keys());
    wait_until("no upload is open", || bucket.open_uploads().is_empty());
}

#[test]
fn of_several_hosts_that_want_one_name_one_has_it() {
    for database in [small(), large()] {
        let bucket = Bucket::new(&Seaweedfs::shared().admin());
        let agents: Vec<Agent> = hosts(&bucket).into_iter().map(|agent| in_parts(agent.database(database))).collect();
        assert_eq!(all_at_once(&agents, &["backup", "--name", "same"]), 1);
        let keys = bucket.keys();
        assert_eq!(keys.iter().filter(|key| is_archive(key)).count(), 1, "{keys:?}");
        let judge = agent().database(database).bucket(bucket.name(), bucket.access());
        judge.run(&["verify", "--all"]).succeeds().mentions("intact");
        wait_until("no upload is open", || bucket.open_uploads().is_empty());
    }
}

#[test]
fn several_hosts_back_up_one_database_in_one_second() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let agents: Vec<Agent> = hosts(&bucket).into_iter().map(|agent| agent.database(small())).collect();
    let done = all_at_once(&agents, &["backup"]);
    assert!(done > 0);
    holds_whole(&bucket, done);
}

/// A lock is held by a process, not by what a file says: the number of one that is gone may be anybody's by now.
#[test]
fn a_lock_file_that_names_a_living_process_stops_nobody() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let agent = agent().database(small()).bucket(bucket.name(), bucket.access());
    let lock = agent.home().join(format!("lastgood-{}.lock", small().name()));
    std::fs::write(&lock, format!("{}\n", std::process::id())).unwrap();
    agent.run(&["backup"]).succeeds();
    assert!(lock.exists(), "the lock has another name now: this test can't fail");
    holds_whole(&bucket, 1);
}
