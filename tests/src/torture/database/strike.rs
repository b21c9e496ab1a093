//! One backup, struck.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use super::blow::Blow;
use super::fault::{Act, Meanwhile, WHILE};
use super::ground::Ground;
use super::places::Places;
use crate::agent::{Agent, Outcome, Running};
use crate::past;
use crate::postgres::{Installation, Postgres};
use crate::process::children;
use crate::proxy::{Direction, Fault, Proxy};
use crate::torture::ground::{SIZE, in_parts, is_named, last_words, told};
use crate::torture::verdict::{Told, Verdict, lost, silent};

/// In one of so many cases what is left is restored and compared.
const RESTORED: usize = 10;
/// About so many bytes come from the server before the dump itself.
const FIRST: u64 = 30_000;
const ARGUMENTS: [&str; 3] = ["backup", "--name", "struck"];

/// Runs the backup with the fault, and judges.
pub(super) fn strike(blow: &Blow, number: usize) -> Told {
    let ground = Ground::new(blow.fault.act);
    let places = Places::new(blow.buckets);
    let name = ground.name.clone();
    let agent = |port: u16| {
        let agent = in_parts(past::agent()).database_at(&port.to_string(), &name);
        let agent = agent.programs_of(&Installation::debian()).setting("BACKUP_JOBS", blow.jobs.to_string());
        places.of(agent)
    };
    let proxy = Proxy::start(&format!("127.0.0.1:{}", ground.port()));
    let struck = agent(proxy.address().port());
    let (ground, outcome) = run(blow, &struck, &proxy, ground);
    let Some(outcome) = outcome else { return Told { verdict: Verdict::Missed, said: String::new() } };
    what_was_said(blow, &outcome, &told(&outcome, &struck));
    let undisturbed = agent(ground.living().port());
    places.judge(&undisturbed, &outcome, "struck");
    let again = undisturbed.run(&["backup", "--name", "again"]);
    assert_eq!(again.code, Some(0), "the next run, which nothing disturbs, fails\n{again}\nafter\n{outcome}");
    places.judge(&undisturbed, &again, "again");
    if number.is_multiple_of(RESTORED) {
        comes_back(&undisturbed, ground.living(), &name);
    }
    let verdict = if outcome.code == Some(0) { Verdict::Done } else { Verdict::Failed };
    Told { verdict, said: last_words(&outcome) }
}

/// The run, struck at its moment; no outcome where that didn't come.
fn run(blow: &Blow, agent: &Agent, proxy: &Proxy, mut ground: Ground) -> (Ground, Option<Outcome>) {
    // The first bytes of the dump itself come after some thousands about the database.
    let at = FIRST + u64::from(SIZE) * 1_000 * blow.moment;
    let outcome = match blow.fault.act {
        Act::Network(fault) => {
            proxy.set(fault(at));
            let outcome = agent.run(&ARGUMENTS);
            proxy.has_struck().then_some(outcome)
        }
        Act::Slow(rate) => {
            proxy.set(Fault::Rate(rate));
            Some(agent.run(&ARGUMENTS))
        }
        Act::Setting(setting) => {
            ground.living().query(&format!("ALTER DATABASE {} SET {setting}", ground.name));
            let outcome = stall(agent, proxy, at, |_| Some(()));
            ground.living().query(&format!("ALTER DATABASE {} RESET ALL", ground.name));
            outcome
        }
        Act::Meanwhile(what) => stall(agent, proxy, at, |running| happen(what, running, &mut ground)),
    };
    (ground, outcome)
}

/// Lets the network stand still at this byte while something happens.
fn stall(agent: &Agent, proxy: &Proxy, at: u64, happens: impl FnOnce(&Running) -> Option<()>) -> Option<Outcome> {
    proxy.set(Fault::Stall(Direction::Down, at));
    let mut running = agent.start(&ARGUMENTS);
    running.wait_until("its moment", |_| proxy.has_struck());
    let happened = happens(&running);
    std::thread::sleep(WHILE);
    proxy.heal();
    let outcome = running.wait();
    happened.map(|()| outcome)
}

/// What happens while nothing moves; nothing where there is nobody to happen to.
fn happen(what: Meanwhile, running: &Running, ground: &mut Ground) -> Option<()> {
    match what {
        Meanwhile::Nothing => {}
        Meanwhile::Kill(program) => {
            let pid = *children(running.pid(), program).first()?;
            kill_process(Pid::from_raw(pid.cast_signed())?, Signal::KILL).ok()?;
        }
        Meanwhile::EndSessions => {
            let sessions = format!("FROM pg_stat_activity WHERE datname = '{}'", ground.name);
            ground.living().query(&format!("SELECT pg_terminate_backend(pid) {sessions}"));
        }
        Meanwhile::Restart => {
            ground.first_mut().stop();
            ground.first_mut().recover();
        }
        Meanwhile::Crash => {
            ground.first_mut().crash();
            ground.first_mut().recover();
        }
        Meanwhile::Failover => {
            ground.first_mut().crash();
            ground.living().promote();
        }
        Meanwhile::Promotion => ground.living().promote(),
    }
    Some(())
}

/// A failure names what broke.
fn what_was_said(blow: &Blow, outcome: &Outcome, told: &str) {
    let names = blow.fault.words.iter().any(|word| told.contains(word));
    match outcome.code {
        Some(0) => {}
        Some(1..=6) if is_named(outcome) && names => {}
        Some(1..=6) => silent(&format!("nothing names the fault: {:?}\n{outcome}", blow.fault.words)),
        _ => panic!("it ended in a way of its own\n{outcome}"),
    }
}

/// The newest good backup, restored and compared.
fn comes_back(agent: &Agent, server: &Postgres, name: &str) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let made = server.database(&format!("torture_back_{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let run = agent.run(&["restore", "latest", "--into", made.name(), "--confirm"]);
    // Not dropped with the value: its ground has it. A crash moves its sequences on, so it is compared as it is now.
    let source = std::mem::ManuallyDrop::new(server.database(name));
    if run.code != Some(0) || made.as_sql() != source.as_sql() {
        lost(&format!("the newest good backup doesn't come back as it was\n{run}"));
    }
}
