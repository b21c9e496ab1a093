//! `lastgood init`: from nothing to a verified backup, and one every night.
//!
//! It asks, or takes flags; tries the database and the places as who will back up; and writes only what was tried. What a run has made
//! that fails before the first backup's end goes again, so the next one can begin from the start.

mod answer;
mod asked;
mod backed_up;
mod found;
mod machine;
mod nightly;
mod offer;
mod planned;
mod programs;
mod role;
mod scheduled;
mod stack;
mod tried;
mod weekly;
mod written;

use std::time::Instant;

use answer::InitAnswer;
use asked::{Asker, Wish};
use found::Found;
use machine::Machine;
use nightly::Nightly;
use planned::Plan;
use role::Role;
use stack::Stack;
use weekly::Weekly;
use written::Made;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::Report;
use crate::cli::InitArgs;
use crate::interrupt::Interrupt;
use crate::settings::Given;

/// Sets up backups on this machine.
///
/// # Errors
/// Exit 2 when there are settings already, or an answer is missing or wrong; else what keeps the first backup from being made.
pub(crate) async fn run(args: &InitArgs, given: Given, report: Report, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let target = written::target(&given)?;
    let caller = given.environment.get("SUDO_USER").and_then(|name| name.to_str());
    let machine = Machine::look(given.home.as_deref(), caller);
    let stack = match &args.from_stack {
        Some(name) => Some(interrupt.or(Stack::ask(name, args, &given)).await?),
        None => None,
    };
    let found = Found::look(&machine, &given, interrupt.stop());
    let asker = Asker { args, given: &given, machine: &machine, found: &found, stack: stack.as_ref(), interrupt };
    let wish = asker.ask()?;
    let role = Role::lacking(&wish.database, &machine, interrupt.stop())?;
    let plan = Plan::of(&wish, &machine, target, role, stack.as_ref())?;
    let nightly = Nightly { machine: &machine, text: &plan.text, target: &plan.target, stop: interrupt.stop() };
    let answer =
        if args.dry_run { rehearse(&plan, &wish, nightly)? } else { carry_out(&asker, &plan, &wish, nightly)? };
    report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

/// Tries what can be tried without making anything.
fn rehearse(plan: &Plan, wish: &Wish, nightly: Nightly<'_>) -> Result<InitAnswer, Failure> {
    let is_there = plan.folder.as_ref().is_none_or(|folder| folder.is_dir());
    match (&plan.role, is_there) {
        (None, true) => tried::both(nightly, &wish.database)?,
        (Some(role), _) => tracing::info!("not tried: the role {} is still to be made", role.name),
        (None, false) => {
            let stand_in = written::stand_in(nightly.machine)?;
            let text = plan.with_folder(stand_in.path())?;
            tried::database(Nightly { text: &text, ..nightly }, &wish.database)?;
            tracing::info!("not tried: the folder for the backups is still to be made");
        }
    }
    Ok(InitAnswer::new(plan, nightly.machine, None, (Weekly::Unasked, Vec::new())))
}

/// Does all of it, once somebody has agreed.
fn carry_out(asker: &Asker<'_>, plan: &Plan, wish: &Wish, nightly: Nightly<'_>) -> Result<InitAnswer, Failure> {
    let tell = |text: &str| text.lines().for_each(|line| tracing::info!("{line}"));
    tell(&plan.to_string());
    if !asker.agrees("Try it, write the settings, and make the first backup?", true)? {
        return Err(plan.role.as_ref().map_or_else(declined, Role::declined));
    }
    let began = Instant::now();
    if let Some(role) = &plan.role {
        role.make(nightly.stop)?;
    }
    let mut made = Made::default();
    made.folders(plan, nightly.machine)?;
    tried::both(nightly, &wish.database)?;
    made.settings(plan, nightly.machine)?;
    let first = backed_up::first(nightly, plan, began)?;
    made.keep();
    let (plan, weekly) = weekly::settle(plan, nightly)?;
    let replaced = scheduled::all(&plan, wish, nightly)?;
    Ok(InitAnswer::new(&plan, nightly.machine, Some(first), (weekly, replaced)))
}

fn declined() -> Failure {
    Failure::new(Exit::Failed, "the answer was not yes: nothing was changed")
}
