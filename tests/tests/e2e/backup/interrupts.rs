//! Runs that are told to stop, are killed, or meet another run.

use std::time::{Duration, Instant};

use e2e::process::children;
use rustix::process::Signal;

use super::{Places, Stalled, agent, large, small, stall};

#[test]
fn a_run_that_is_told_to_stop_takes_everything_back() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let places = Places::new();
        let Stalled { proxy, running } = stall(agent(), large(), &places);
        let pid = running.pid();
        let told = Instant::now();
        running.signal(signal);
        running.wait().exits(1).mentions(&format!("error: stopped by {name}")).mentions("hint: start it again");
        places.hold_the_mark_alone();
        assert_eq!(children(pid, "pg_dump"), Vec::<u32>::new());
        // pg_dump can't cancel its query over a network that stands still, and isn't waited for: the proxy still stalls.
        assert!(told.elapsed() < Duration::from_secs(60), "{:?}", told.elapsed());
        drop(proxy);
    }
}

#[test]
fn a_killed_run_shows_nothing_and_the_next_one_works_and_clears_up() {
    let places = Places::new();
    let agent = places.both(agent().database(large()));
    let Stalled { proxy, running } = stall(self::agent(), large(), &places);
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None);
    drop(proxy);
    places.bucket_shows_the_mark_alone();
    let left = places.files();
    assert!(!left.is_empty() && left.iter().all(|file| file.starts_with('.')), "{left:?}");

    // Nobody holds the locks of what it was writing.
    agent.run(&["backup"]).succeeds().mentions(&format!("removed {} that killed runs left", left.len()));
    assert!(places.files().iter().all(|file| !file.starts_with('.')), "{:?}", places.files());
    assert_eq!(places.bucket.keys().iter().filter(|key| key.ends_with(".manifest.json")).count(), 1);
}

#[test]
fn a_second_run_of_the_same_database_is_refused_and_the_first_goes_on() {
    let places = Places::new();
    let locks = tempfile::tempdir().unwrap();
    let agent = || agent().setting("BACKUP_LOCK_DIR", locks.path().display().to_string());
    let Stalled { proxy, running } = stall(agent(), large(), &places);
    let second = places.both(agent().database(large())).run(&["backup"]).exits(3);
    second
        .mentions("is already running: process ")
        .mentions(&running.pid().to_string())
        .mentions("hint: wait until it ends");
    places.both(agent().database(small())).run(&["backup", "--dry-run"]).succeeds();
    proxy.heal();
    running.wait().succeeds();
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();
}
