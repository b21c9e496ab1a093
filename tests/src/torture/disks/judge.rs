//! What is left after a disk broke.

use std::ffi::OsString;

use super::blow::Blow;
use super::command::Command;
use super::fault::Place;
use super::scene::{KEPT, Scene};
use crate::agent::{Agent, Outcome};
use crate::past::{SUFFIXES, stem};
use crate::torture::ground::{content, is_named};
use crate::torture::verdict::{lost, silent};

/// Judges what the command said and left, lets it run again on a disk that is well, and judges what is there then.
pub(super) fn judge(scene: &Scene, blow: &Blow, outcome: &Outcome, before: &[(OsString, Vec<u8>)]) {
    what_was_said(blow, outcome);
    what_was_there(scene, before, outcome);
    let undisturbed = scene.agent(&scene.directory());
    what_it_did(scene, outcome);
    let again = undisturbed.run(&scene.arguments_again());
    assert_eq!(again.code, Some(0), "the next run, which nothing disturbs, fails\n{again}\nafter\n{outcome}");
    at_the_end(scene, outcome, &undisturbed);
}

/// A failure names the fault; a log that can't be written is warned of.
fn what_was_said(blow: &Blow, outcome: &Outcome) {
    let words = blow.fault.words();
    let said = [outcome.stdout.as_str(), outcome.stderr.as_str()].concat().to_lowercase();
    let names = words.is_empty() || words.iter().any(|word| said.contains(word));
    match outcome.code {
        Some(0) if blow.place == Place::Log && !names => silent(&format!("nothing is said of the log\n{outcome}")),
        Some(0) => {}
        Some(1..=6) if is_named(outcome) && names => {}
        Some(1..=6) => silent(&format!("nothing names the fault: {words:?}\n{outcome}")),
        _ => panic!("it ended in a way of its own\n{outcome}"),
    }
}

/// What was good is as it was, unless it was to go; a verdict may have come in place of another.
fn what_was_there(scene: &Scene, before: &[(OsString, Vec<u8>)], outcome: &Outcome) {
    let now = scene.files();
    let name = scene.database().name();
    let kept: Vec<String> = scene.made[..scene.made.len().min(KEPT)]
        .iter()
        .flat_map(|made| SUFFIXES.map(|end| stem(name, *made) + end))
        .collect();
    let stays =
        |file: &&(OsString, Vec<u8>)| scene.command != Command::Prune || kept.iter().any(|kept| *file.0 == **kept);
    let gone: Vec<_> = before.iter().filter(stays).filter(|file| !now.contains(file)).map(|(name, _)| name).collect();
    if !gone.is_empty() {
        lost(&format!("what was there is gone or changed: {gone:?}\n{outcome}"));
    }
}

/// What says 0 has done it.
fn what_it_did(scene: &Scene, outcome: &Outcome) {
    if outcome.code != Some(0) {
        return;
    }
    let is_done = match scene.command {
        Command::Backup | Command::BackupBoth => count(scene, "_backup_struck.manifest.json") == 1,
        Command::Verify => count(scene, ".intact.json") == scene.made.len(),
        Command::Prune => count(scene, ".manifest.json") == KEPT,
        Command::Copy => count(scene, ".manifest.json") == 2,
        Command::Restore => return restored(scene, outcome),
    };
    if !is_done {
        let names: Vec<_> = scene.files().into_iter().map(|(name, _)| name).collect();
        silent(&format!("it says that it is done, and it isn't\n{outcome}\n{names:#?}"));
    }
}

fn count(scene: &Scene, suffix: &str) -> usize {
    scene.files().iter().filter(|(name, _)| name.to_string_lossy().ends_with(suffix)).count()
}

/// The database that was restored, which goes then, so that the next run makes it again.
fn restored(scene: &Scene, outcome: &Outcome) {
    let made = scene.database().server().database(&scene.target);
    if made.as_sql() != content(scene.database()) {
        silent(&format!("what was restored isn't what was backed up\n{outcome}"));
    }
}

/// Every manifest's backup is verified, and nothing half lies about.
fn at_the_end(scene: &Scene, outcome: &Outcome, undisturbed: &Agent) {
    let verified = undisturbed.run(&["verify", "--all", "--force", "--repository", "directory"]);
    if verified.code != Some(0) {
        lost(&format!("not everything with a manifest is whole\n{verified}\nafter\n{outcome}"));
    }
    // What a copy could not remove, the next backup does.
    if scene.command == Command::Copy && count(scene, ".partial") > 0 {
        undisturbed.run(&["backup"]).succeeds();
    }
    let hidden: Vec<_> = scene.files().into_iter().map(|(name, _)| name).collect();
    let partial = count(scene, ".partial");
    assert_eq!(partial, 0, "half files are left: {hidden:#?}\n{outcome}");
    if scene.command == Command::Restore {
        restored(scene, outcome);
    }
}
