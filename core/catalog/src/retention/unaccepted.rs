//! The shrinks that keep backups until a person says that they are right.

use jiff::Timestamp;

use super::holds::Hold;
use super::{Decision, Keep, Plan};
use crate::catalog::{Catalog, Entry};
use crate::object::Object;

/// A shrink that nobody has accepted, and that may keep backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unaccepted<'a> {
    /// The backup that has lost something.
    pub entry: &'a Entry,
    /// What it has lost.
    pub record: &'a Object,
    /// When it keeps no backup any more.
    pub until: Timestamp,
    /// How many backups stay for its sake alone.
    pub kept: usize,
}

/// The shrinks of this catalog that nobody has accepted and that haven't ended by `now`, with how many backups `plan` keeps for the
/// sake of each. Newest first.
#[must_use]
pub fn unaccepted<'a>(catalog: &'a Catalog, plan: &Plan<'_>, now: Timestamp) -> Vec<Unaccepted<'a>> {
    let open = catalog.entries.iter().filter_map(|entry| {
        let Hold { shrunk, until, .. } = Hold::of(entry)?;
        let is_for_it = |keep: &Keep| matches!(keep, Keep::BeforeShrink { shrunk: of, .. } if *of == shrunk);
        let kept = plan.rows.iter().filter(|row| match &row.decision {
            Decision::Keep(reasons) => reasons.iter().any(is_for_it),
            Decision::Remove(_) => false,
        });
        let kept = kept.count();
        Some(Unaccepted { entry, record: entry.shrunk.as_ref()?, until, kept })
    });
    open.filter(|open| now < open.until || open.kept > 0).collect()
}
