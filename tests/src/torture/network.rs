//! The network between Lastgood and a store, and what the store answers: each command's requests are learnt from a run that
//! nothing disturbs, and then each kind of them is struck by each fault, the first, the middle and the last of its kind, once and for good.

mod aim;
mod blow;
mod fault;
mod functions;
mod grid;
mod kind;
mod said;

use std::sync::Arc;

use self::aim::{Aim, Stood};
use self::blow::Blow;
use self::fault::FAULTS;
use self::grid::{Cell, count_kinds, grid};
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

/// The cases of every command and function, so many of each stride.
pub(super) fn cases(scale: usize) -> Vec<Case> {
    let blows = Subject::ALL.into_iter().flat_map(blows).enumerate().map(|(number, blow)| case(number, blow));
    let all = blows.chain(functions::cases()).enumerate();
    all.filter(|(number, _)| number % STRIDE < scale).map(|(_, case)| case).collect()
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

/// Everything that the axes make for one command.
fn blows(subject: Subject) -> Vec<Blow> {
    let cells = grid(&rehearse(subject)).into_iter();
    cells.map(|Cell { aim, moment, fault }| Blow { subject, fault, aim, moment }).collect()
}

/// The kinds of a command's requests, and how many there are of each.
fn rehearse(subject: Subject) -> Vec<(String, usize)> {
    let scene = Scene::new(subject);
    let stood = Stood::watching(scene.access(), aim::base(subject));
    let outcome = scene.agent(&stood.access(), 1).run(&scene.arguments());
    assert_eq!(
        outcome.code,
        Some(i32::from(subject == Subject::BackupAborted)),
        "a run that nothing disturbs\n{outcome}"
    );
    count_kinds(&stood.seen())
}

fn case(number: usize, blow: Blow) -> Case {
    let Blow { subject, fault, aim, moment } = &blow;
    let name = format!("network/{}/{}/{moment}/{}/{}", subject.name(), aim.kind, fault.name, aim.lasts());
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
