//! A place that takes a megabyte a second, or less, while the others take all.

use std::time::{Duration, Instant};

use e2e::agent::Agent;
use e2e::proxy::{Direction, Fault, Proxy};

use super::{Places, hinted, holds_one_backup, shows_no_backup};
use crate::backup::{agent, in_parts, large};

const SLOW: u64 = 1_000_000;

fn one_part(agent: Agent) -> Agent {
    agent.setting("BACKUP_S3_PARTS_IN_FLIGHT", "1").setting("BACKUP_GLOBALS", "false")
}

#[test]
fn a_slow_bucket_holds_nobody_up_beside_a_local_copy_and_is_whole_in_the_end() {
    let places = Places::new();
    let third = &places.buckets[2];
    let proxy = Proxy::start(&third.access().endpoint);
    let agent = one_part(in_parts(places.all(agent().database(large()))));
    let agent = agent.bucket_beside(3, third.name(), &third.access().through(&proxy));
    proxy.set(Fault::Slow(SLOW / 2));
    let mut running = agent.start(&["backup"]);
    let is_whole = |keys: Vec<String>| keys.iter().any(|key| key.ends_with(".manifest.json"));
    running.wait_until("the fast places to be complete", |_| {
        is_whole(places.files()) && places.buckets[..2].iter().all(|bucket| is_whole(bucket.keys()))
    });
    let sent = proxy.bytes(Direction::Up);
    assert!(!is_whole(third.keys()), "the slow one was not slow");
    let (peak, outcome) = running.wait_with_peak_memory();
    outcome.succeeds();
    // The local copy waits some seconds for the buckets (`gate.rs`), and no longer.
    let all = proxy.bytes(Direction::Up);
    assert!(sent < all / 4 * 3, "the fast places waited for {sent} of {all} bytes of the slow one");
    places.buckets.iter().for_each(|bucket| {
        assert!(is_whole(bucket.keys()));
        assert_eq!(bucket.open_uploads(), Vec::<String>::new());
    });
    // Two parts of 5 MiB for each bucket, and what the program itself takes.
    assert!(peak < 100_000_000, "{} MB", peak / 1_000_000);
}

#[test]
fn without_a_local_copy_a_slow_bucket_is_left_behind_after_the_wait_that_is_set_and_copied_later() {
    let places = Places::new();
    let second = &places.buckets[1];
    let proxy = Proxy::start(&second.access().endpoint);
    let first = &places.buckets[0];
    let agent = in_parts(agent().database(large())).bucket(first.name(), first.access());
    let agent = agent.bucket_beside(2, second.name(), &second.access().through(&proxy));
    let agent = agent.setting("BACKUP_S3_PARTS_IN_FLIGHT", "1").setting("BACKUP_SLOW_PLACE_WAIT", "1s");
    proxy.set(Fault::Slow(SLOW / 4));
    let began = Instant::now();
    let failed = agent.run(&["backup"]).exits(1);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let failed =
        failed.mentions("it was left behind, because the others had waited for it").mentions("BACKUP_SLOW_PLACE_WAIT");
    holds_one_backup(first);
    shows_no_backup(second);
    proxy.heal();
    let copy = hinted(&failed);
    assert_eq!(copy[2..], ["--from", "1", "--to", "2"]);
    agent.run(&copy).succeeds().mentions("copied");
    holds_one_backup(second);
}
