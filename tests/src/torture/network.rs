//! The network between Lastgood and a store, and what the store answers: each command's requests are learnt from a run that
//! nothing disturbs, and then each kind of them is struck by each fault, the first, the middle and the last of its kind, once and for good.

mod aim;
mod blow;
mod fault;
mod kind;
mod said;

use std::sync::Arc;

use self::aim::{Aim, Stood};
use self::blow::Blow;
use self::fault::FAULTS;
use super::case::{Case, Family};
use super::ground::{last_words, told};
use super::judge::{Mercy, judge};
use super::scene::Scene;
use super::subject::Subject;
use super::verdict::{Told, Verdict};

/// Of every so many cases one is tried at a scale of 1: no number of faults is a multiple of it.
const STRIDE: usize = 31;
/// In one of so many cases what is left is restored and compared.
const RESTORED: usize = 10;

/// The cases of every command, so many of each stride.
pub(super) fn cases(scale: usize) -> Vec<Case> {
    let all = Subject::ALL.into_iter().flat_map(blows).enumerate();
    all.filter(|(number, _)| number % STRIDE < scale).map(|(number, blow)| case(number, blow)).collect()
}

/// Each fault once that doesn't take a minute, at one of these commands or another.
pub(super) fn bounded() -> Vec<Case> {
    let commands = [Subject::BackupParts, Subject::Prune, Subject::Verify];
    let mut all: Vec<Blow> = commands.into_iter().flat_map(blows).collect();
    let mut chosen = Vec::new();
    for (number, fault) in FAULTS.iter().filter(|fault| !fault.takes_a_minute()).enumerate() {
        let of_fault: Vec<usize> = (0..all.len()).filter(|at| all[*at].fault.name == fault.name).collect();
        // So far apart that commands, kinds and moments change from fault to fault.
        let at = of_fault[number * 31 % of_fault.len()];
        chosen.push(case(number + 1, all.swap_remove(at)));
    }
    chosen
}

/// Everything that the axes make for one command. The fault varies fastest.
fn blows(subject: Subject) -> Vec<Blow> {
    let mut blows = Vec::new();
    for (kind, count) in rehearse(subject) {
        for lasting in [false, true] {
            for (moment, nth) in moments(count) {
                let struck = FAULTS.iter().filter(|fault| fault.is_for(&kind));
                blows.extend(struck.map(|fault| Blow {
                    subject,
                    fault,
                    aim: Aim { kind: kind.clone(), nth, lasting },
                    moment,
                }));
            }
        }
    }
    blows
}

/// The first, the middle and the last of so many, each once.
fn moments(count: usize) -> Vec<(&'static str, usize)> {
    match count {
        1 => vec![("only", 0)],
        2 => vec![("first", 0), ("last", 1)],
        _ => vec![("first", 0), ("middle", count / 2), ("last", count - 1)],
    }
}

/// The kinds of a command's requests in the order of their first, and how many there are of each.
fn rehearse(subject: Subject) -> Vec<(String, usize)> {
    let scene = Scene::new(subject);
    let stood = Stood::watching(scene.access(), aim::base(subject));
    let outcome = scene.agent(&stood.access(), 1).run(&scene.arguments());
    assert_eq!(
        outcome.code,
        Some(i32::from(subject == Subject::BackupAborted)),
        "a run that nothing disturbs\n{outcome}"
    );
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for seen in stood.seen() {
        match kinds.iter_mut().find(|(kind, _)| *kind == seen) {
            Some((_, count)) => *count += 1,
            None => kinds.push((seen, 1)),
        }
    }
    kinds
}

fn case(number: usize, blow: Blow) -> Case {
    let Blow { subject, fault, aim, moment } = &blow;
    let lasts = if aim.lasting { "lasting" } else { "once" };
    let name = format!("network/{}/{}/{moment}/{}/{lasts}", subject.name(), aim.kind, fault.name);
    let blow = Arc::new(blow);
    let waits = blow.fault.takes_a_minute();
    Case { family: Family::Network, name, waits, act: Box::new(move || strike(&blow, number.is_multiple_of(RESTORED))) }
}

/// Runs the command with the fault, and judges.
fn strike(blow: &Blow, restored: bool) -> Told {
    let scene = Scene::new(blow.subject);
    let before = scene.bucket.objects();
    let stood = Stood::striking(scene.access(), aim::base(blow.subject), blow.aim.clone(), blow.fault);
    // What doesn't answer for good is tried once; all else as often as ever.
    let minutes = u32::from(!(blow.aim.lasting && blow.fault.is_network));
    let agent = scene.agent(&stood.access(), minutes);
    let outcome = agent.run(&scene.arguments());
    let said = last_words(&outcome);
    if !stood.has_struck() {
        return Told { verdict: Verdict::Missed, said };
    }
    drop(stood);
    said::judge(blow, &outcome, &told(&outcome, &agent));
    judge(&scene, &outcome, &before, &Mercy { open: may_leave_open(&blow.aim), restored });
    let verdict = if outcome.code == Some(0) { Verdict::Done } else { Verdict::Failed };
    Told { verdict, said }
}

/// What would close an upload is what is struck for good; or nobody is told that one has begun.
fn may_leave_open(aim: &Aim) -> bool {
    let closes = ["AbortMultipartUpload", "ListMultipartUploads", "ListParts", "CreateMultipartUpload"];
    aim.lasting && closes.iter().any(|operation| aim.kind.starts_with(operation))
}
