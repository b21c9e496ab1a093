//! What is left after a command was struck.

use super::ground::content;
use super::scene::{KEPT, NEW, OLD, Scene};
use super::subject::Subject;
use super::verdict::{lost, silent};
use crate::agent::{Agent, Outcome};
use crate::bounds::wait_until;
use crate::bucket::{Bucket, Stored};
use crate::past::{SUFFIXES, key};

/// What else a judge has to know.
pub(super) struct Mercy {
    /// An upload may be left open.
    pub(super) open: bool,
    /// What is left is restored and compared as well.
    pub(super) restored: bool,
}

/// Judges what the command left, lets it run again, and judges what is there then.
pub(super) fn judge(scene: &Scene, outcome: &Outcome, before: &[Stored], mercy: &Mercy) {
    what_was_there(scene, before, outcome);
    let undisturbed = scene.agent(scene.access(), 1);
    what_it_did(scene, outcome, &undisturbed);
    // A copy leaves what it has sent for the next one.
    let is_left = mercy.open || (scene.subject.is_copy() && outcome.code != Some(0));
    if !is_left {
        nothing_is_open(scene, outcome);
    }
    let again = undisturbed.run(&scene.arguments_again());
    if again.code != Some(0) {
        let verified = undisturbed.run(&["verify", "--all"]);
        panic!("the next run, which nothing disturbs, fails\n{again}\nafter\n{outcome}\n{verified}");
    }
    at_the_end(scene, outcome, &undisturbed);
    // What a copy has sent is taken up by the next one, but for what the store copied by itself: that is the lifecycle rule's.
    let takes_up = scene.subject == Subject::CopyUp || !mercy.open;
    if scene.subject.is_copy() && takes_up {
        nothing_is_open(scene, outcome);
    }
    if mercy.restored && !scene.subject.replaces() {
        comes_back(scene, &undisturbed);
    }
}

/// What was good is as it was, unless it was to go.
fn what_was_there(scene: &Scene, before: &[Stored], outcome: &Outcome) {
    let now = scene.bucket.objects();
    let stays = |object: &&Stored| match scene.subject {
        Subject::Prune => kept(scene).contains(&object.key),
        _ => true,
    };
    let gone: Vec<_> = before.iter().filter(stays).filter(|object| !now.contains(object)).collect();
    if !gone.is_empty() {
        lost(&format!("what was there is gone or changed: {gone:#?}\n{outcome}"));
    }
}

/// The keys of the backups that `prune` keeps.
fn kept(scene: &Scene) -> Vec<String> {
    let name = scene.database().name();
    scene.made[..KEPT].iter().flat_map(|made| SUFFIXES.map(|end| key(name, *made, end))).collect()
}

/// What says 0 has done it.
fn what_it_did(scene: &Scene, outcome: &Outcome, undisturbed: &Agent) {
    if scene.subject.replaces() {
        return what_stands(scene, outcome);
    }
    if outcome.code != Some(0) {
        return;
    }
    let is_there = match scene.subject {
        Subject::BackupPut | Subject::BackupParts | Subject::BackupAborted | Subject::BackupBoth => {
            let keys = scene.bucket.keys();
            let has = |part: &str| keys.iter().any(|key| key.contains(part));
            // What lacks is warned of: the roles, the index, the mark.
            let is_complete = ["_struck.globals.", "_struck.index.", "/databases/"].into_iter().all(has);
            has("_backup_struck.manifest.json") && (is_complete || outcome.stderr.contains("warning: "))
        }
        Subject::Verify => count(&scene.bucket, ".intact.json") == scene.made.len(),
        Subject::Prune => count(&scene.bucket, ".manifest.json") == KEPT,
        // No listing has a checksum: one without TLS that a flipped bit robs of a manifest is told by what it has instead.
        Subject::CopyAcross if outcome.stdout.contains("without a manifest") => true,
        Subject::Adopt | Subject::CopyUp | Subject::CopyAcross => count(scene.goal(), ".manifest.json") == 1,
        // It is done, and where it cannot be written down that is warned of.
        Subject::Drill => {
            count(&scene.bucket, ".drill.json") == 1
                || outcome.stderr.contains("warning: the drill is not written down")
        }
        Subject::RestoreInto | Subject::RestoreSwap | Subject::RestoreInPlace => return restored(scene, outcome),
    };
    if !is_there {
        let list = undisturbed.run(&["list"]);
        silent(&format!("it says that it is done, and it isn't\n{outcome}\n{list}\n{:#?}", scene.goal().keys()));
    }
}

/// The old state or the new one stands under the name, whole; the new one where it says so.
fn what_stands(scene: &Scene, outcome: &Outcome) {
    let rows = scene.living_rows();
    match (outcome.code, rows.as_deref()) {
        (_, Some(NEW)) | (Some(1..) | None, Some(OLD)) => {}
        (Some(0), Some(OLD)) => silent(&format!("it says that it is restored, and it isn't\n{outcome}")),
        _ => lost(&format!("the living database has {rows:?} rows\n{outcome}")),
    }
}

fn count(bucket: &Bucket, suffix: &str) -> usize {
    bucket.keys().iter().filter(|key| key.ends_with(suffix) && !key.contains("/status/")).count()
}

/// The database that was restored, which goes then, so that the next run makes it again.
fn restored(scene: &Scene, outcome: &Outcome) {
    let made = scene.database().server().database(&scene.target);
    if made.as_sql() != content(scene.database()) {
        silent(&format!("what was restored isn't what was backed up\n{outcome}"));
    }
}

fn nothing_is_open(scene: &Scene, outcome: &Outcome) {
    // A store under load may forget a completed one a moment later.
    let what = format!("no upload is open after\n{outcome}");
    wait_until(&what, || scene.goal().open_uploads().is_empty());
}

/// Every manifest's backup is verified, and nothing else counts as one.
fn at_the_end(scene: &Scene, outcome: &Outcome, undisturbed: &Agent) {
    let place: &[&str] = if scene.subject == Subject::CopyAcross { &["--repository", "2"] } else { &[] };
    let verified = undisturbed.run(&[&["verify", "--all", "--force"], place].concat());
    if verified.code != Some(0) {
        lost(&format!("not everything with a manifest is whole\n{verified}\nafter\n{outcome}"));
    }
    let list = undisturbed.run(&[&["list", "--json"], place].concat()).succeeds().json();
    let rows: Vec<_> = list["databases"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|database| database["backups"].as_array().into_iter().flatten())
        .collect();
    let state = |id: &str| {
        rows.iter().find(|row| row["id"].as_str().is_some_and(|it| it.ends_with(id))).map(|row| &row["state"])
    };
    let damaged = rows.iter().filter(|row| row["state"] == "damaged").count();
    assert_eq!(damaged, 0, "something is damaged: {list:#}\n{outcome}");
    let manifests = count(scene.goal(), ".manifest.json");
    let good = rows.iter().filter(|row| row["state"] == "good").count();
    assert_eq!(good, manifests, "good ones and manifests: {list:#}\n{outcome}");
    if scene.subject.is_backup() {
        let struck = outcome.code == Some(0);
        assert!(state("_again").is_some_and(|state| state == "good"), "{list:#}");
        assert!(!struck || state("_struck").is_some_and(|state| state == "good"), "{list:#}");
    }
    let expected = match scene.subject {
        Subject::Prune => KEPT,
        Subject::Verify => scene.made.len(),
        _ => 1,
    };
    assert!(good >= expected, "{good} good ones where {expected} were to be: {list:#}\n{outcome}");
    match scene.subject {
        Subject::RestoreInto => restored(scene, outcome),
        Subject::BackupBoth => both_have_it(undisturbed, outcome),
        subject if subject.replaces() => assert_eq!(scene.living_rows().as_deref(), Some(NEW), "{outcome}"),
        _ => {}
    }
}

/// The directory's backups are whole as well.
fn both_have_it(undisturbed: &Agent, outcome: &Outcome) {
    let verified = undisturbed.run(&["verify", "--all", "--force", "--repository", "directory"]);
    if verified.code != Some(0) {
        lost(&format!("not everything in the directory is whole\n{verified}\nafter\n{outcome}"));
    }
}

/// The newest good backup, restored and compared.
fn comes_back(scene: &Scene, undisturbed: &Agent) {
    let name = format!("{}_compared", scene.target);
    let place: &[&str] = if scene.subject == Subject::CopyAcross { &["--repository", "2"] } else { &[] };
    let arguments = [&["restore", "latest", "--into", &name, "--confirm"], place].concat();
    let made = scene.database().server().database(&name);
    let run = undisturbed.run(&arguments);
    if run.code != Some(0) || made.as_sql() != content(scene.database()) {
        lost(&format!("the newest good backup doesn't come back as it was\n{run}"));
    }
}
