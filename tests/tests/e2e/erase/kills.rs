//! An erasure that is ended at any moment loses nothing, and the next one completes it.
//!
//! One moment in `make test`; `make erase-kills` takes forty (`ERASE_KILLS`).

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

use e2e::bounds::wait_until;
use rustix::process::Signal;

use super::broken::certificates;
use super::{EMAIL, Scene, knows};

const BACKUPS: usize = 2;

#[test]
fn an_erasure_that_is_killed_at_any_moment_loses_nothing_and_the_next_one_completes_it() {
    let asked: Option<usize> = std::env::var("ERASE_KILLS").ok().and_then(|number| number.parse().ok());
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new("killed_erasure").with(|agent| agent.directory(folder.path()));
    scene.agent.run(&["backup", "--name", "initial"]).succeeds();
    scene.agent.run(&["backup"]).succeeds();
    let saved = tempfile::tempdir().unwrap();
    copy(folder.path(), saved.path());
    let begun = Instant::now();
    scene.erase(&["--all"]).succeeds();
    let whole = begun.elapsed();
    for number in 0..asked.unwrap_or(1) {
        clear(folder.path());
        copy(saved.path(), folder.path());
        let moment = match asked {
            Some(_) => whole.mul_f64(random()),
            None => whole.mul_f64(0.7),
        };
        end_at(&scene, folder.path(), moment);
        if number % 10 == 9 {
            eprintln!("{} kills", number + 1);
        }
    }
}

fn end_at(scene: &Scene<'_>, folder: &Path, moment: Duration) {
    let condition = format!("email={EMAIL}");
    let run = scene.agent.start(&["erase", "--table", "customers", "--where", &condition, "--all", "--confirm"]);
    std::thread::sleep(moment);
    run.signal(Signal::KILL);
    run.wait();
    // At no moment is there less than one good backup of each.
    let list = scene.agent.run(&["list", "--json"]).json();
    let good = |what: &str| {
        let backups = list["databases"][0]["backups"].as_array().unwrap().iter();
        backups.filter(|backup| backup["state"] == "good" && backup["id"].as_str().unwrap().contains(what)).count()
    };
    assert!(good("_initial") >= 1 && good("") >= BACKUPS, "after {moment:?}: {list:#}");
    scene.agent.run(&["restore", "latest", "--dry-run"]).succeeds();
    let broken = certificates(folder).iter().filter(|one| one["finished"].is_null()).count();
    let outcome = scene.erase(&["--all"]).succeeds();
    let earlier = outcome.stdout.lines().filter(|line| line.starts_with("earlier ")).count();
    assert_eq!(earlier, broken, "after {moment:?}, what the killed run did stands somewhere\n{outcome}");
    let left: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    for file in &left {
        assert!(!file.to_string_lossy().contains("_erased_2"), "after {moment:?} a half was not replaced: {left:?}");
        assert!(
            !knows(&std::fs::read(file).unwrap(), None),
            "after {moment:?} {} knows them\n{outcome}",
            file.display()
        );
    }
    let archives = left
        .iter()
        .filter(|file| file.to_string_lossy().ends_with(".sql.gz") && !file.to_string_lossy().contains(".globals."));
    assert_eq!(archives.count(), BACKUPS, "after {moment:?}: {left:?}\n{outcome}");
    scene.agent.run(&["verify", "--all"]).succeeds();
    wait_until(&format!("no temporary server is left, after {moment:?}"), || {
        std::fs::read_dir(scene.temporary.path()).unwrap().count() == 0
    });
}

fn clear(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() { std::fs::remove_file(path).unwrap() } else { std::fs::remove_dir_all(path).unwrap() }
    }
}

/// With the times of the files, and the hidden ones.
fn copy(from: &Path, to: &Path) {
    let mut copy = std::process::Command::new("cp");
    let copied = e2e::process::output(copy.arg("-a").arg(from.join(".")).arg(to));
    assert!(copied.status.success());
}

/// From 0 to 1.
fn random() -> f64 {
    let number = RandomState::new().build_hasher().finish();
    (number >> 11) as f64 / (1_u64 << 53) as f64
}
