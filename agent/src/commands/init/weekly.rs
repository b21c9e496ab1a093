//! A drill every week, where this machine can make a private server for it: that touches no other one, and nothing is left of it.

use super::nightly::Nightly;
use super::planned::{Plan, TARGET};
use super::written;
use crate::answers::failure::Failure;
use crate::cli::Schedule;

const SETTING: &str = "BACKUP_DRILL_SERVER";

/// Whether there will be a drill every week.
pub(super) enum Weekly {
    Drills,
    /// Why not, and what helps.
    Not(Failure),
    /// Nothing is scheduled at all.
    Unasked,
}

/// Tries what a drill of the first backup would begin with, as who backs up every night. What works is written into the settings, and
/// the plan has its timer or its line.
///
/// # Errors
/// When the run is told to stop.
pub(super) fn settle(plan: &Plan, nightly: Nightly<'_>) -> Result<(Plan, Weekly), Failure> {
    if plan.schedule == Schedule::None {
        return Ok((plan.clone(), Weekly::Unasked));
    }
    let is_set = plan.text.lines().any(|line| line.starts_with(&format!("{SETTING}=")));
    let command: &[&str] = if is_set { &["drill", "--dry-run"] } else { &["drill", "--dry-run", "--temporary-server"] };
    if let Err(failure) = nightly.run(command) {
        return match nightly.stop.signal() {
            Some(signal) => Err(crate::interrupt::stopped_by(signal)),
            None => Ok((plan.clone(), Weekly::Not(failure))),
        };
    }
    let (before, mut plan) = (plan, plan.with_drill());
    if !is_set {
        plan.text.push_str(&format!(
            "\n# Where the weekly drill restores: on a private server of this machine, which is removed afterwards.\n{SETTING}=temporary\n"
        ));
        if let Err(failure) = written::again(&before.text, &plan, nightly.machine) {
            return Ok((before.clone(), Weekly::Not(failure)));
        }
    }
    Ok((plan, Weekly::Drills))
}

impl Weekly {
    /// Why there is none, in one sentence.
    pub(super) fn missing(&self) -> Option<String> {
        match self {
            Self::Not(failure) => Some(failure.error.clone()),
            Self::Drills | Self::Unasked => None,
        }
    }

    /// What to do about it.
    pub(super) fn remedy(&self, plan: &Plan) -> Option<String> {
        let Self::Not(failure) = self else { return None };
        let later = match plan.schedule {
            Schedule::Systemd => {
                format!("set {SETTING}=temporary in {TARGET}; systemctl enable --now lastgood-drill.timer")
            }
            Schedule::Cron | Schedule::None => {
                format!("set {SETTING}=temporary, and put `lastgood drill` into the crontab")
            }
        };
        Some(failure.hint.as_ref().map_or_else(|| later.clone(), |hint| format!("{hint}; then {later}")))
    }
}
