//! SIGKILL at moments spread over the whole run of each command; its children are left to themselves.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::case::{Case, Family};
use super::ground::last_words;
use super::judge::{Mercy, judge};
use super::scene::Scene;
use super::subject::Subject;
use super::verdict::{Told, Verdict};

/// In one of so many cases what is left is restored and compared.
const RESTORED: u32 = 10;

/// Each command, killed so often.
pub(super) fn cases(kills: u32) -> Vec<Case> {
    let struck = Subject::ALL.into_iter().filter(|subject| *subject != Subject::BackupAborted);
    struck.flat_map(|subject| (0..kills).map(move |nth| case(subject, nth))).collect()
}

/// Some commands once each.
pub(super) fn bounded() -> Vec<Case> {
    let struck = [Subject::BackupParts, Subject::Prune, Subject::RestoreSwap, Subject::CopyUp];
    struck.into_iter().map(|subject| case(subject, 1)).collect()
}

fn case(subject: Subject, nth: u32) -> Case {
    let name = format!("kills/{}/{nth}", subject.name());
    Case { family: Family::Kills, name, waits: false, act: Box::new(move || kill(subject, nth)) }
}

/// Where the nth kill falls, from 0 to 1: spread evenly however many there are, and the same ones in each run.
fn moment(nth: u32) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    (f64::from(nth + 1) * GOLDEN).fract()
}

/// How long the command takes that nothing disturbs.
fn whole(subject: Subject) -> Duration {
    static TIMES: [OnceLock<Duration>; Subject::ALL.len()] = [const { OnceLock::new() }; Subject::ALL.len()];
    let at = Subject::ALL.iter().position(|known| *known == subject).unwrap();
    *TIMES[at].get_or_init(|| {
        let scene = Scene::new(subject);
        let agent = scene.agent(scene.access(), 1);
        let began = Instant::now();
        agent.run(&scene.arguments()).succeeds();
        began.elapsed()
    })
}

fn kill(subject: Subject, nth: u32) -> Told {
    let whole = whole(subject);
    let scene = Scene::new(subject);
    let before = scene.bucket.objects();
    let agent = scene.agent(scene.access(), 1);
    let running = agent.start(&scene.arguments());
    // Most of a short run is its start: the moments crowd towards its end.
    std::thread::sleep(whole.mul_f64(moment(nth).sqrt()));
    running.signal(Signal::KILL);
    let outcome = running.wait();
    judge(&scene, &outcome, &before, &Mercy { open: true, restored: nth.is_multiple_of(RESTORED) });
    let verdict = if outcome.code.is_none() { Verdict::Killed } else { Verdict::Done };
    Told { verdict, said: last_words(&outcome) }
}
