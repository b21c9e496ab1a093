//! What databases have further back than the days that are listed each time. To ask for it costs a request for each crowded day,
//! so a database is asked about once a day, and a few are in one run; what was found stands in the status meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use catalog::freshness::lost_since_good;
use catalog::status::Further;
use catalog::{Catalog, Entry, Layout, Object, catalogs};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// As many databases are asked about in one run.
pub(super) const FEW: usize = 8;
/// How long an answer holds.
const HOLDS: SignedDuration = SignedDuration::from_hours(24);
/// As many backups that were lost are remembered of one database, the newest: what stands in the status has to have an end.
const LOST: usize = 20;
/// How long it does where a verdict may still come.
const HOLDS_UNJUDGED: SignedDuration = SignedDuration::from_hours(1);

/// What earlier runs have found, and how many databases this one may still ask about.
#[derive(Debug)]
pub(super) struct Memory {
    known: BTreeMap<String, Further>,
    left: AtomicUsize,
}

impl Memory {
    pub(super) fn new(known: BTreeMap<String, Further>) -> Self {
        Self { known, left: AtomicUsize::new(FEW) }
    }

    /// Whether one more database may be asked about; it counts as asked then.
    pub(super) fn may_ask(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// What is listed of a database from a day on, with what was found of it before that day, if that still holds. Of one that is
    /// retired it always does: whatever comes is new.
    pub(super) fn recall(
        &self,
        layout: &Layout,
        listed: &Catalog,
        first: Option<Date>,
        now: Timestamp,
    ) -> Option<(Catalog, bool)> {
        let known = self.known.get(&listed.database)?;
        let found = catalogs(layout, known.objects.iter().cloned()).into_iter();
        let is_before = |entry: &Entry| entry.id.day.zip(first).is_some_and(|(day, first)| day < first);
        let mut before = Vec::new();
        for catalog in found.filter(|catalog| catalog.database == listed.database) {
            before.extend(catalog.entries.into_iter().filter(is_before));
        }
        let is_unjudged = before.iter().any(|entry| entry.is_backup() && entry.judged().is_none());
        let holds = if is_unjudged { HOLDS_UNJUDGED } else { HOLDS };
        let is_fresh = now.duration_since(known.asked) < holds;
        Some((listed.clone().joined(before), is_fresh))
    }

    /// What was found of a database, as it was.
    pub(super) fn known(&self, database: &str) -> Option<Further> {
        self.known.get(database).cloned()
    }
}

/// What is worth remembering of a database that was asked about now.
pub(super) fn remembered(catalog: &Catalog, now: Timestamp) -> Further {
    let newest = [catalog.newest_good(now), catalog.newest_uploaded(now)];
    let mut objects: BTreeMap<&str, &Object> = BTreeMap::new();
    for entry in newest.into_iter().flatten().chain(lost_since_good(catalog, now).take(LOST)) {
        let of_it = [&entry.archive, &entry.manifest, &entry.intact, &entry.damaged];
        objects.extend(of_it.into_iter().flatten().map(|object| (object.key.as_str(), object)));
    }
    Further { asked: now, objects: objects.into_values().cloned().collect() }
}
