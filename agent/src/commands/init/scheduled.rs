//! What backs up from now on: timers are enabled, or lines for a crontab shown; what did so before goes, and a copy of it stays.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use catalog::words;
use jiff::Timestamp;
use serde::Serialize;

use super::asked::Wish;
use super::backed_up::systemctl;
use super::found::crontabs::{Crontab, Owner, crontab};
use super::nightly::Nightly;
use super::planned::Plan;
use super::written::whole;
use crate::answers::failure::{Exit, Failure};
use crate::cli::Schedule;

/// How many copies of one crontab a second may have.
const COPIES: u32 = 100;

/// A crontab that lost lines.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replaced {
    pub(super) crontab: String,
    pub(super) lines: Vec<String>,
    pub(super) copy: PathBuf,
    /// Whether the new lines are in it.
    #[serde(skip)]
    pub(super) has_new: bool,
}

/// Enables what is planned, and then takes out what is replaced.
///
/// # Errors
/// When systemd or a crontab refuses; what was done so far stays.
pub(super) fn all(plan: &Plan, wish: &Wish, nightly: Nightly<'_>) -> Result<Vec<Replaced>, Failure> {
    let replaced = wish.replaced.as_slice();
    if plan.schedule == Schedule::Systemd {
        timers("enable", &plan.timers, nightly)?;
    } else if !wish.disabled.is_empty() {
        timers("disable", &wish.disabled, nightly)?;
    }
    // The new lines go into one alone, that of who backs up.
    let user = &nightly.machine.nightly;
    let is_fitting = |crontab: &&Crontab| match &crontab.owner {
        Owner::User(owner) => owner.user == user.user,
        Owner::File(_) => true,
    };
    let fitting = replaced.iter().find(is_fitting).filter(|_| plan.schedule == Schedule::Cron);
    replaced.iter().map(|crontab| replace(crontab, fitting == Some(crontab), plan, nightly)).collect()
}

/// Enables timers, or disables them: from now on, where systemd runs.
fn timers(verb: &str, timers: &[&str], nightly: Nightly<'_>) -> Result<(), Failure> {
    let now: &[&str] = if nightly.machine.runs_systemd { &["--now"] } else { &[] };
    systemctl(&[&["--quiet", verb], now, timers].concat(), nightly)
}

/// Takes our lines out of a crontab, once a copy of it is on the disk.
fn replace(old: &Crontab, has_new: bool, plan: &Plan, nightly: Nightly<'_>) -> Result<Replaced, Failure> {
    let user = &nightly.machine.nightly;
    let failed = |why: String| {
        Failure::new(Exit::Failed, format!("cannot change {}: {why}", old.name())).hint(
            "take the lines out that run a backup by hand (crontab -e): what was set up would back up beside them",
        )
    };
    // It was read before the questions, and hours may have gone by with the first backup.
    if !old.is_as_read(nightly.stop) {
        return Err(failed("somebody has changed it meanwhile".to_owned()));
    }
    let copy = keep(old, &nightly.machine.own.home).map_err(|error| failed(error.to_string()))?;
    let named = match &old.owner {
        Owner::User(_) => None,
        Owner::File(_) => Some(user.name.as_str()),
    };
    let new = plan.cron_lines.iter().filter(|_| has_new);
    let instead: Vec<String> = new.map(|line| line.text(named)).collect();
    let text = old.without_own(&instead);
    match &old.owner {
        Owner::File(path) => {
            let before = path.metadata().map_err(|error| failed(error.to_string()))?;
            let owner = Some((before.uid(), before.gid()));
            whole(path, &text, before.mode() & 0o7777, owner).map_err(|error| failed(error.to_string()))?;
        }
        Owner::User(whose) => {
            let call = crontab(whose).ok_or_else(|| failed("crontab is not installed".to_owned()))?;
            let answer =
                call.arguments(&["-"]).given(&text, nightly.stop).map_err(|error| failed(error.to_string()))?;
            if !answer.is_done {
                return Err(failed(answer.said));
            }
        }
    }
    let lines = old.own_lines().into_iter().map(str::to_owned).collect();
    Ok(Replaced { crontab: old.name(), lines, copy, has_new })
}

/// A copy in the home folder, under a name of its own, for its owner's eyes alone.
fn keep(old: &Crontab, home: &Path) -> std::io::Result<PathBuf> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = old.name().chars().map(plain).collect();
    let time: String = words::second(Timestamp::now()).chars().filter(char::is_ascii_digit).collect();
    let named = |number: u32| match number {
        1 => home.join(format!("{}-before-lastgood-{time}", name.trim_matches('-'))),
        _ => home.join(format!("{}-before-lastgood-{time}-{number}", name.trim_matches('-'))),
    };
    let new = |path: &Path| std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut number = 1;
    // Another run of the same second has one already.
    let mut file = loop {
        match new(&named(number)) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < COPIES => number += 1,
            opened => break opened?,
        }
    };
    file.write_all(old.text.as_bytes())?;
    file.sync_all()?;
    Ok(named(number))
}
