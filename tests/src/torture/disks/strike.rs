//! One command on a disk that breaks.

use super::blow::Blow;
use super::fault::{Fault, Place};
use super::judge;
use super::scene::Scene;
use crate::agent::Outcome;
use crate::torture::ground::last_words;
use crate::torture::verdict::{Told, Verdict};

/// Mounts the small file system, fills it or not, and takes what is left on it: only this shell and its children see it.
const MOUNTED: &str = r#"mount -t tmpfs -o size="$1"k tmpfs "$2" && cp -a "$3/." "$2/" || exit 99
[ -z "$FILL" ] || cat /dev/zero 2> /dev/null > "$2/filler"
mount -o remount,"$4" "$2" || exit 99
from=$2 to=$3; shift 4; "$@"; code=$?; [ -z "$BACK" ] || { rm -rf "$to" && cp -a "$from/." "$to/"; }; exit $code"#;

/// Runs the command with the fault, and judges.
pub(super) fn strike(blow: &Blow) -> Told {
    let scene = Scene::new(blow.command);
    let before = scene.files();
    let log = scene.folder.path().join("strace");
    let outcome = match blow.fault {
        Fault::Full { .. } | Fault::ReadOnly => on_small_disk(blow, &scene),
        fault => {
            let (archive, log) = (scene.archive().display().to_string(), log.display().to_string());
            let wrapper = fault.wrapper(blow.command.writes(), &archive, &log);
            scene.agent(&scene.directory()).run_by(&wrapper, &scene.arguments())
        }
    };
    let said = last_words(&outcome);
    if !has_struck(blow, &outcome, &std::fs::read_to_string(&log).unwrap_or_default()) {
        return Told { verdict: Verdict::Missed, said };
    }
    judge::judge(&scene, blow, &outcome, &before);
    let verdict = if outcome.code == Some(0) { Verdict::Done } else { Verdict::Failed };
    Told { verdict, said }
}

fn on_small_disk(blow: &Blow, scene: &Scene) -> Outcome {
    let takes = if let Fault::Full { takes, .. } = blow.fault { takes } else { 1_000 };
    let moves = blow.place == Place::Repository;
    let taken = if moves { scene.taken() } else { 0 };
    let size = (taken + blow.command.writes() * takes / 1_000).max(4096).div_ceil(4096) * 4;
    let access = if blow.fault == Fault::ReadOnly { "ro" } else { "rw" };
    let empty = scene.folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let from = if moves { scene.directory() } else { empty };
    let agent = scene.agent_on_disk(blow.place);
    let agent = match (moves, blow.fault) {
        (true, _) => agent.setting("BACK", "1"),
        // Not even a page is left, in which a short log would have its place.
        (false, Fault::Full { .. }) => agent.setting("FILL", "1"),
        (false, _) => agent,
    };
    let words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh"].map(str::to_owned);
    let paths = [scene.disk(), from].map(|path| path.display().to_string());
    let wrapper: Vec<String> =
        words.into_iter().chain([size.to_string()]).chain(paths).chain([access.to_owned()]).collect();
    agent.run_by(&wrapper, &scene.arguments())
}

/// A system call may not occur; what lies elsewhere may not be written at all.
fn has_struck(blow: &Blow, outcome: &Outcome, strace: &str) -> bool {
    match blow.fault {
        Fault::Fails { .. } | Fault::ReadFails { .. } => strace.contains("INJECTED"),
        Fault::Waits { .. } => strace.contains("DELAYED") || strace.contains("INJECTED"),
        _ => outcome.code != Some(0) || outcome.stderr.contains("warning: "),
    }
}
