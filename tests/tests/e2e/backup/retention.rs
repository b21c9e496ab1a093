//! Old local backups after a new one: copies go that the bucket has too; without a bucket the rules of `prune` decide.

use std::path::Path;
use std::process::Command;

use e2e::agent::Agent;
use e2e::process::output;

use super::{Places, agent, small};

/// Copies the only backup under the name of one that many days older, and says its name.
fn age_a_copy(places: &Places, days: i64, into_bucket: bool) -> String {
    let newest = places
        .files()
        .into_iter()
        .filter(|file| file.ends_with(".sql.gz") && !file.contains(".globals."))
        .max()
        .unwrap();
    let stem = newest.strip_suffix(".sql.gz").unwrap();
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(days * 24);
    let older = format!("{}_backup_{}", small().name(), then.strftime("%Y%m%d_%H%M%S"));
    for suffix in [".sql.gz", ".globals.sql.gz", ".index.json.gz", ".manifest.json", ".intact.json"] {
        let bytes = std::fs::read(places.directory().join(format!("{stem}{suffix}"))).unwrap();
        let file = places.directory().join(format!("{older}{suffix}"));
        std::fs::write(&file, &bytes).unwrap();
        touch(&file, then);
        if into_bucket {
            places.bucket.put(&format!("backups/{}/{older}{suffix}", then.strftime("%Y%m%d")), &bytes);
        }
    }
    older
}

fn touch(file: &Path, time: jiff::Timestamp) {
    let touched = output(Command::new("touch").arg("-d").arg(time.to_string()).arg(file));
    assert!(touched.status.success());
}

/// Whether all, or none, of a backup's files are there.
#[track_caller]
fn is_there(places: &Places, stem: &str) -> bool {
    let files = places.files().into_iter().filter(|file| file.starts_with(stem)).count();
    assert!(files == 0 || files == 5, "a part of {stem} is left: {:?}", places.files());
    files == 5
}

fn back_up(agent: &Agent) -> e2e::agent::Outcome {
    agent.run(&["backup"]).succeeds()
}

#[test]
fn old_copies_go_that_the_bucket_has_and_others_stay() {
    let places = Places::new();
    let agent = places.both(agent().database(small())).setting("BACKUP_RETENTION_DAYS", "10");
    back_up(&agent);
    let old = age_a_copy(&places, 11, true);
    let young = age_a_copy(&places, 9, true);
    let nowhere_else = age_a_copy(&places, 12, false);
    let guest = places.directory().join("astro_backup_20200101_030000.sql.gz");
    std::fs::write(&guest, "PGDMP").unwrap();
    let objects = places.bucket.keys().len();
    std::thread::sleep(std::time::Duration::from_secs(1));
    back_up(&agent)
        .mentions(&format!("removed {}", places.directory().join(&old).display()))
        .mentions("older than 10 days");
    assert!(!is_there(&places, &old));
    assert!(is_there(&places, &young) && is_there(&places, &nowhere_else) && guest.exists());
    assert_eq!(places.bucket.keys().len(), objects + 4, "nothing goes from the bucket");
}

#[test]
fn without_a_bucket_the_oldest_go_and_the_minimum_of_good_ones_stays() {
    let places = Places::new();
    let agent = agent().database(small()).directory(&places.directory()).setting("BACKUP_RETENTION_DAYS", "10");
    let agent = agent.setting("BACKUP_MIN_GOOD", "3");
    back_up(&agent);
    let [oldest, old, young] = [13, 12, 9].map(|days| age_a_copy(&places, days, false));
    std::thread::sleep(std::time::Duration::from_secs(1));
    back_up(&agent).mentions(&format!("removed {}", places.directory().join(&oldest).display()));
    assert!(!is_there(&places, &oldest) && !is_there(&places, &old) && is_there(&places, &young));

    std::thread::sleep(std::time::Duration::from_secs(1));
    let agent = agent.setting("BACKUP_RETENTION_DAYS", "1").setting("BACKUP_MIN_GOOD", "9");
    back_up(&agent).keeps_silent_about("removed");
    assert!(is_there(&places, &young), "it is one of the nine that stay");
}

#[test]
fn a_plan_that_would_remove_more_than_half_is_refused() {
    let places = Places::new();
    let agent = agent().database(small()).directory(&places.directory()).setting("BACKUP_RETENTION_DAYS", "10");
    let agent = agent.setting("BACKUP_MIN_GOOD", "1");
    back_up(&agent);
    let old = [20, 21, 22, 23].map(|days| age_a_copy(&places, days, false));
    std::thread::sleep(std::time::Duration::from_secs(1));
    back_up(&agent).mentions("old local backups were not removed: 4 of 6 good backups would go, more than half");
    assert!(old.iter().all(|stem| is_there(&places, stem)));
}
