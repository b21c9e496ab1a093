//! What people must hear of.

use catalog::watch::REREADING;
use jiff::SignedDuration;

use crate::{Environment, Failure};

/// The time between two scheduled runs, as in `infra/template.yaml`.
pub(super) const INTERVAL: SignedDuration = SignedDuration::from_mins(15);

/// From when on something is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// The age of the newest good backup of a database that has no limit of its own.
    pub(super) max_age: SignedDuration,
    /// The share of the size, and of the rows, of those before it.
    pub(super) min_ratio: f64,
    /// The age that no verdict should have.
    pub(super) rereading: SignedDuration,
    /// How old the last drill that passed may be; `None` where drills aren't asked for.
    pub(super) drill_max_age: Option<SignedDuration>,
    /// Whether somebody hears without the topic: a monitor outside, or a pager.
    pub(super) heard_elsewhere: bool,
    /// In a vault marks come from another account, with whatever time and content its ruler gives them.
    pub(super) distrusts_marks: bool,
}

impl Limits {
    /// The limits that are set.
    ///
    /// # Errors
    /// When one of them is no number.
    pub(super) fn read(environment: &Environment<'_>) -> Result<Self, Failure> {
        let has_monitor = environment.text("LASTGOOD_HEARTBEAT_URL").is_some();
        let days: u32 = environment.parsed("LASTGOOD_REVERIFY_AFTER_DAYS", 30)?;
        let drill_days: u32 = environment.parsed("LASTGOOD_DRILL_MAX_AGE_DAYS", 0)?;
        Ok(Self {
            max_age: environment.max_age()?,
            min_ratio: environment.parsed("LASTGOOD_MIN_SIZE_RATIO", 0.5)?,
            rereading: SignedDuration::from_hours(i64::from(days) * 24).saturating_add(REREADING),
            drill_max_age: (drill_days > 0).then(|| SignedDuration::from_hours(i64::from(drill_days) * 24)),
            heard_elsewhere: has_monitor || environment.parsed("LASTGOOD_PAGING", false)?,
            distrusts_marks: environment.text("BACKUP_S3_VERDICTS_OF").is_some(),
        })
    }
}
