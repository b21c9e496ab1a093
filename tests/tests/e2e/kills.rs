//! SIGKILL at any moment of what removes and of what judges: the next run leaves nothing of ours that isn't a backup, and nothing
//! that was to stay is gone. `make kills` does it 200 times each.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::seaweedfs::Seaweedfs;
use jiff::Timestamp;
use rustix::process::Signal;

use e2e::past::{SUFFIXES, agent, database, days_ago, key, put_as_uploaded, put_in_directory, stem};

/// How often each is killed.
fn kills() -> u32 {
    std::env::var("KILLS").map_or(3, |text| text.parse().expect("KILLS is a number"))
}

/// Runs it once to its end on a copy of the scene, then kills it so many times, at moments spread over as long as it took.
fn kill_each(arguments: &[&str], mut scene: impl FnMut() -> Agent, mut after: impl FnMut(&Agent, Duration)) {
    let agent = scene();
    let began = Instant::now();
    agent.run(arguments).succeeds();
    let whole = began.elapsed();
    for nth in 0..kills() {
        let agent = scene();
        let running = agent.start(arguments);
        // Most of a short run is its start: the moments crowd towards its end.
        let delay = whole.mul_f64((f64::from(nth + 1) / f64::from(kills() + 1)).sqrt());
        std::thread::sleep(delay);
        running.signal(Signal::KILL);
        drop(running.wait());
        after(&agent, delay);
    }
}

/// Every file, hidden ones too, but for logs.
fn files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    // Each day's verdict is noted below `status`, and is no part of any backup.
    let mut names: Vec<String> = files.filter(|name| name != "status").collect();
    names.sort();
    names
}

/// The same of a bucket.
fn keys(bucket: &RefCell<Option<Bucket>>) -> Vec<String> {
    let keys = bucket.borrow().as_ref().unwrap().keys();
    keys.into_iter().filter(|key| !key.contains("/status/history/")).collect()
}

fn objects_of(made: &[Timestamp]) -> Vec<String> {
    let suffixes = |made: &Timestamp| SUFFIXES.map(|suffix| format!("{}{suffix}", stem("app", *made)));
    let mut names: Vec<String> = made.iter().flat_map(suffixes).collect();
    names.sort();
    names
}

/// So many backups, of which [`pruning`] keeps the newest.
fn many(count: i64) -> Vec<Timestamp> {
    (0..count).map(|days| days_ago(days + 20)).collect()
}

/// How many stay.
const KEPT: usize = 4;

fn pruning(agent: Agent) -> Agent {
    agent.setting("DB_NAME", "app").setting("BACKUP_MIN_GOOD", "1").setting("BACKUP_KEEP_LAST", KEPT.to_string())
}

#[test]
fn prune_of_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let (backups, made) = (folder.path().join("backups"), many(30));
    let scene = || {
        drop(std::fs::remove_dir_all(&backups));
        made.iter().for_each(|made| put_in_directory(&backups, "app", *made));
        pruning(agent()).directory(&backups)
    };
    kill_each(&["prune", "--force"], scene, |agent, delay| {
        // A backup whose verdict is gone already is unverified: it is judged, and goes.
        agent.run(&["verify", "--all"]).succeeds();
        agent.run(&["prune", "--force"]).succeeds();
        assert_eq!(files(&backups), objects_of(&made[..KEPT]), "killed after {delay:?}");
    });
}

/// What is left of a removal in a bucket is known as ours by its metadata, and goes when it is a week old.
#[test]
fn prune_of_a_bucket() {
    let made = many(10);
    let bucket = RefCell::new(None);
    let scene = || {
        let fresh = Bucket::new(&Seaweedfs::shared().admin());
        made.iter().for_each(|made| put_as_uploaded(&fresh, "app", *made));
        let agent = pruning(agent()).bucket(fresh.name(), fresh.access());
        bucket.replace(Some(fresh));
        agent
    };
    kill_each(&["prune", "--force"], scene, |agent, delay| {
        agent.run(&["verify", "--all"]).succeeds();
        agent.run(&["prune", "--force"]).succeeds();
        let keys = keys(&bucket);
        let kept: Vec<String> =
            made[..KEPT].iter().flat_map(|made| SUFFIXES.map(|end| key("app", *made, end))).collect();
        assert!(kept.iter().all(|key| keys.contains(key)), "killed after {delay:?}: {keys:#?}");
        let left: Vec<&String> = keys.iter().filter(|key| !kept.contains(key)).collect();
        assert!(left.iter().all(|key| key.ends_with(".sql.gz")), "killed after {delay:?}: {left:#?}");
        let listed = agent.run(&["list", "--json"]).succeeds().json();
        let rows = listed["databases"][0]["backups"].as_array().unwrap();
        let unfinished = rows.iter().filter(|row| row["state"] == "unfinished").count();
        assert_eq!((rows.len(), unfinished), (KEPT + left.len(), left.len()), "killed after {delay:?}: {listed:#}");
    });
}

#[test]
fn verify_of_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let (backups, made) = (folder.path().join("backups"), many(30));
    let scene = || {
        drop(std::fs::remove_dir_all(&backups));
        made.iter().for_each(|made| put_in_directory(&backups, "app", *made));
        made.iter().for_each(|made| {
            std::fs::remove_file(backups.join(format!("{}.intact.json", stem("app", *made)))).unwrap()
        });
        agent().setting("DB_NAME", "app").directory(&backups)
    };
    kill_each(&["verify", "--all"], scene, |agent, delay| {
        agent.run(&["verify", "--all"]).succeeds();
        assert_eq!(files(&backups), objects_of(&made), "killed after {delay:?}");
    });
}

#[test]
fn verify_of_a_bucket() {
    let made = many(10);
    let bucket = RefCell::new(None);
    let scene = || {
        let fresh = Bucket::new(&Seaweedfs::shared().admin());
        made.iter().for_each(|made| put_as_uploaded(&fresh, "app", *made));
        made.iter().for_each(|made| fresh.delete(&key("app", *made, ".intact.json")));
        let agent = agent().setting("DB_NAME", "app").bucket(fresh.name(), fresh.access());
        bucket.replace(Some(fresh));
        agent
    };
    kill_each(&["verify", "--all"], scene, |agent, delay| {
        agent.run(&["verify", "--all"]).succeeds();
        assert_eq!(keys(&bucket).len(), 30, "killed after {delay:?}");
    });
}

#[test]
fn the_removal_of_a_backup_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (backups, name) = (folder.path().join("backups"), database().name());
    let (young, old): (Vec<_>, Vec<_>) = ((1..12).map(days_ago).collect(), (40..45).map(days_ago).collect());
    let scene = || {
        drop(std::fs::remove_dir_all(&backups));
        young.iter().chain(&old).for_each(|made: &Timestamp| put_in_directory(&backups, name, *made));
        agent().database(database()).directory(&backups).setting("BACKUP_MIN_GOOD", "1")
    };
    kill_each(&["backup"], scene, |agent, delay| {
        // Two backups of one second would have one name.
        std::thread::sleep(Duration::from_secs(1));
        agent.run(&["backup"]).succeeds();
        let left = files(&backups);
        let hidden: Vec<&String> = left.iter().filter(|name| name.starts_with('.')).collect();
        let unfinished = agent.run(&["list", "--json"]).succeeds().json();
        let rows = unfinished["databases"][0]["backups"].as_array().unwrap();
        let unfinished: Vec<_> = rows.iter().filter(|row| row["state"] == "unfinished").collect();
        assert!(unfinished.len() <= 1 && hidden.len() == unfinished.len(), "killed after {delay:?}: {left:#?}");
        for made in &old {
            assert!(left.iter().all(|file| !file.contains(&stem(name, *made))), "killed after {delay:?}: {left:#?}");
        }
        for made in &young {
            let whole = SUFFIXES.iter().all(|end| left.contains(&format!("{}{end}", stem(name, *made))));
            assert!(whole, "killed after {delay:?}: {left:#?}");
        }
        assert!(rows.iter().all(|row| row["state"] != "guest"), "killed after {delay:?}: {rows:#?}");
    });
}
