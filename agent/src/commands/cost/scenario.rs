//! A load that the command line describes, without any request.

use catalog::Policy;

use super::load::{Load, Rhythm, Stream};
use super::stack::Stack;
use crate::answers::failure::{Exit, Failure};
use crate::cli::CostArgs;
use crate::settings::Settings;

/// The load of `--size` and the options beside it; the settings supply what is missing.
///
/// # Errors
/// Exit 2 when neither the options nor the settings say how long a backup is kept.
pub(super) fn load(size: u64, args: &CostArgs, settings: &Settings) -> Result<Load, Failure> {
    let usual = settings.databases.first().map_or_else(|| settings.server().policy, |database| database.policy.clone());
    let per_day = args.per_day.unwrap_or(1.0);
    let rhythm = Rhythm {
        per_day,
        guessed: false,
        size: size as f64,
        days: lifetime(&policy(usual, args), per_day),
        glacier_days: glacier_days(args, settings).map(f64::from),
    };
    let stream = Stream::steady(args.databases.unwrap_or(1).into(), rhythm).ok_or_else(|| {
        Failure::new(Exit::Usage, "these settings remove no backup by its age")
            .hint("set with --days how long a backup is kept")
    })?;
    Ok(Load { streams: vec![stream], stack: Stack::of(args) })
}

/// The settings' policy, or the age of the command line.
pub(super) fn policy(policy: Policy, args: &CostArgs) -> Policy {
    Policy { delete_after_days: args.days.or(policy.delete_after_days), ..policy }
}

/// Days until an archive moves to Glacier; `None`: never.
pub(super) fn glacier_days(args: &CostArgs, settings: &Settings) -> Option<u32> {
    args.glacier_days.or(settings.glacier_days).filter(|days| *days > 0)
}

/// Days until a backup is removed: the policy's, or as many as it takes to have the minimum of good ones. `None`: never by
/// age.
pub(super) fn lifetime(policy: &Policy, per_day: f64) -> Option<f64> {
    let days = f64::from(policy.delete_after_days.filter(|_| per_day > 0.0)?);
    Some(days.max(f64::from(policy.minimum_good) / per_day))
}

impl Stack {
    /// The AWS stack's parameters, as the command line gives them.
    pub(super) fn of(args: &CostArgs) -> Self {
        let CostArgs { arm64, paging, drills, per_database_metrics, .. } = *args;
        Self { arm64, paging, drills, per_database_metrics }
    }
}
