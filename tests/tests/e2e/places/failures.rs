//! Two of four places fail, each at its own step: what the others hold, what is said, and that nothing shows without its manifest.

use std::collections::BTreeSet;

use e2e::agent::Agent;
use e2e::bucket::{Bucket, is_archive};
use e2e::postgres::{Database, Postgres};
use tempfile::TempDir;

use super::Places;
use super::refusing::{STEPS, Step, refusing};
use crate::backup::{agent, in_parts};

/// What fails: the directory is 0, the buckets are 1 to 3.
type Failing = [(usize, Step); 2];

/// A few megabytes, which are two parts.
fn database() -> Database<'static> {
    let database = Postgres::shared().new_database("failing");
    database.fill_with_megabytes(6);
    database
}

/// Every pair of places, at every pair of steps.
fn combinations() -> Vec<Failing> {
    let pairs = (0..4).flat_map(|one| (one + 1..4).map(move |other| (one, other)));
    let steps = STEPS.into_iter().flat_map(|one| STEPS.into_iter().map(move |other| (one, other)));
    let steps: Vec<_> = steps.collect();
    pairs.flat_map(|(a, b)| steps.iter().map(move |(at, bt)| [(a, *at), (b, *bt)]).collect::<Vec<_>>()).collect()
}

/// Programs whose pg_dump puts something in the way in the directory, after the upload there has begun.
fn in_the_way(database: &Database<'_>, places: &Places, step: Option<Step>) -> TempDir {
    let programs = tempfile::tempdir().unwrap();
    let real = database.server().installation().programs();
    for name in ["psql", "pg_dumpall"] {
        std::os::unix::fs::symlink(real.join(name), programs.path().join(name)).unwrap();
    }
    let stem = places.directory().join(format!("{}_backup_two", database.name()));
    let block = match step {
        // A folder: no backup has that name, and no file can take it.
        Some(Step::Completion) => format!("mkdir -p '{}.sql'", stem.display()),
        Some(Step::Manifest) => format!("mkdir -p '{}.manifest.json'", stem.display()),
        Some(Step::Upload) | None => "true".to_owned(),
    };
    let real = real.join("pg_dump").display().to_string();
    let script = format!("#!/bin/sh\ncase $1 in --version) ;; *) {block};; esac\nexec {real} \"$@\"\n");
    let path = programs.path().join("pg_dump");
    std::fs::write(&path, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
    programs
}

fn agent_of(database: &Database<'_>, places: &Places, failing: Failing, programs: &TempDir) -> Agent {
    let mut agent = in_parts(places.all(agent().database(database)));
    agent = agent.setting("PG_BIN_DIR", programs.path().display().to_string()).setting("BACKUP_JOBS", "1");
    for (place, step) in failing {
        let Some(bucket) = place.checked_sub(1).map(|at| &places.buckets[at]) else {
            if step == Step::Upload {
                std::fs::create_dir_all(places.directory().parent().unwrap()).unwrap();
                std::fs::write(places.directory(), "a file where the folder should be").unwrap();
            }
            continue;
        };
        let access = refusing(bucket.access(), step);
        agent = match place {
            1 => agent.bucket(bucket.name(), &access),
            number => agent.bucket_beside(number, bucket.name(), &access),
        };
    }
    agent
}

/// No backup; the archive alone where only its manifest was refused, which nobody who only adds can take back.
#[track_caller]
fn bucket_shows_nothing_without_a_manifest(bucket: &Bucket, step: Step, case: &Failing) {
    let keys = bucket.keys_of_backups();
    assert!(!keys.iter().any(|key| key.ends_with(".manifest.json")), "{case:?}: {keys:?}");
    let archives = keys.iter().filter(|key| is_archive(key)).count();
    assert_eq!(archives, usize::from(step == Step::Manifest), "{case:?}: {keys:?}");
    assert_eq!(bucket.open_uploads(), Vec::<String>::new(), "{case:?}");
}

fn fails_as_it_should(database: &Database<'_>, failing: Failing) {
    let places = Places::new();
    let of_directory = failing.iter().find(|(place, _)| *place == 0).map(|(_, step)| *step);
    let programs = in_the_way(database, &places, of_directory);
    let agent = agent_of(database, &places, failing, &programs);
    let answer = agent.run(&["backup", "--name", "two", "--json"]).exits(1);
    let document = answer.json();
    let named = |list: &str| -> BTreeSet<String> {
        let rows = document["backups"][0][list].as_array().unwrap().iter();
        rows.map(|row| row["place"].as_str().unwrap().to_owned()).collect()
    };
    let label = |place: usize| if place == 0 { "directory".to_owned() } else { place.to_string() };
    let failed: BTreeSet<String> = failing.iter().map(|(place, _)| label(*place)).collect();
    let whole: BTreeSet<String> = (0..4).map(label).filter(|place| !failed.contains(place)).collect();
    assert_eq!((named("failures"), named("stored")), (failed, whole), "{failing:?}: {answer}");
    for (at, bucket) in places.buckets.iter().enumerate() {
        match failing.iter().find(|(place, _)| *place == at + 1) {
            Some((_, step)) => bucket_shows_nothing_without_a_manifest(bucket, *step, &failing),
            None => super::holds_one_backup(bucket),
        }
    }
    let files: Vec<String> =
        places.files().into_iter().filter(|file| !file.ends_with(".sql") || of_directory.is_none()).collect();
    match of_directory {
        None => assert!(files.iter().any(|file| file.ends_with(".intact.json")), "{failing:?}: {files:?}"),
        // The folder that stood in the way.
        Some(Step::Manifest) => assert_eq!(files.len(), 1, "{failing:?}: {files:?}"),
        Some(_) => assert_eq!(files, Vec::<String>::new(), "{failing:?}"),
    }
}

/// Each pair of places once, with steps that change from pair to pair; `make places` tries all fifty-four.
#[test]
fn any_two_of_four_places_may_fail_and_the_others_are_whole() {
    let database = database();
    let all = combinations();
    assert_eq!(all.len(), 54);
    let tries_all = std::env::var_os("ALL_PLACES").is_some();
    let is_chosen = |at: usize| tries_all || at % 9 == (at / 9 * 2 + 1) % 9;
    for (at, failing) in all.into_iter().enumerate().filter(|(at, _)| is_chosen(*at)) {
        eprintln!("{at}: {failing:?}");
        fails_as_it_should(&database, failing);
    }
}
