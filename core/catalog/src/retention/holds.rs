//! Backups from before a shrink. A backup that has lost rows is good, and pushes out those that still have them: so these stay until a
//! person says that it is right, but for thirty days at most, counted as every age here, back from the newest good backup.
//!
//! What a backup waits for is the first shrink after it that nobody has accepted, and no later one: however many come, none of them keeps
//! it longer. Where a shrink stands among the backups is told by the store, when its record was put, and not by any name: whoever may
//! only add can neither move one back nor end it.

use jiff::Timestamp;

use super::reason::Keep;
use crate::backup::BackupId;
use crate::catalog::{Catalog, Entry};
use crate::shrink::HOLD;

/// The shrinks of a catalog that nobody has accepted, the first one first.
pub(super) struct Holds(Vec<Hold>);

/// A shrink, for those that it may keep.
pub(super) struct Hold {
    pub(super) shrunk: BackupId,
    since: Timestamp,
    /// When it ends at the latest.
    pub(super) until: Timestamp,
}

impl Hold {
    /// That of a backup, if it has lost something and nobody has said that this is right.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let since = entry.shrunk_since()?;
        Some(Self { shrunk: entry.id.clone(), since, until: since.checked_add(HOLD).unwrap_or(Timestamp::MAX) })
    }
}

impl Holds {
    pub(super) fn of(catalog: &Catalog) -> Self {
        let mut holds: Vec<Hold> = catalog.entries.iter().filter_map(Hold::of).collect();
        holds.sort_by_key(|hold| hold.since);
        Self(holds)
    }

    /// Why this entry must not go yet, if it waits for a shrink. What never was a backup waits for none.
    pub(super) fn on(&self, entry: &Entry, anchor: Timestamp) -> Option<Keep> {
        let first = self.0.iter().find(|hold| entry.instant <= hold.since).filter(|_| entry.is_backup())?;
        (anchor < first.until).then(|| Keep::BeforeShrink { shrunk: first.shrunk.clone(), until: first.until })
    }
}
