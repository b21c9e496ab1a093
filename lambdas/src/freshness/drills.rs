//! When restores were last proved. Whoever drills leaves a record for each database, which outlives the backup that was restored. One
//! that can't be read hides nothing else.

use std::collections::BTreeMap;

use catalog::freshness::{Drills, DrillsAsked, Remedy};
use catalog::{Layout, Object, Part};
use jiff::{SignedDuration, Timestamp};
use repository::{Error, Repository};
use tokio::task::JoinSet;

use super::cache::Cache;
use crate::Failure;
use crate::findings::{Drilled, Gauge};

/// Records that are read at the same time.
const AT_ONCE: usize = 8;

/// Reads the records, and remembers them.
#[derive(Clone, Debug)]
pub(super) struct DrillRecords {
    repository: Repository,
    known: Cache<Drills>,
    /// How old a drill may be; `None` where none is asked for.
    max_age: Option<SignedDuration>,
}

/// The records that a listing shows, by their databases' names.
pub(super) fn listed(layout: &Layout, objects: &[Object]) -> BTreeMap<String, Object> {
    let record = |object: &Object| match layout.parse(&object.key) {
        Part::DrillStatus { database } => Some((database, object.clone())),
        _ => None,
    };
    objects.iter().filter_map(record).collect()
}

impl DrillRecords {
    pub(super) fn new(repository: Repository, max_age: Option<SignedDuration>) -> Self {
        Self { repository, known: Cache::default(), max_age }
    }

    /// Adds to the state of each database how its drills are. One that no mark tells the age of has time since `watched`, when
    /// somebody began to look.
    pub(super) async fn add(
        &self,
        gauges: &mut [Gauge],
        records: &BTreeMap<String, Object>,
        watched: Timestamp,
        now: Timestamp,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        let asked = DrillsAsked { max_age: self.max_age, since: Some(watched) };
        for some in gauges.chunks_mut(AT_ONCE) {
            let mut reads = JoinSet::new();
            for (place, gauge) in some.iter().enumerate() {
                let (this, record) = (self.clone(), records.get(&gauge.database).cloned());
                reads.spawn(async move { (place, this.read(record).await) });
            }
            for (place, (drills, failure)) in reads.join_all().await {
                failures.extend(failure);
                if let Some(gauge) = some.get_mut(place) {
                    gauge.drilled = Drilled::of(gauge, &drills, asked, now);
                }
            }
        }
        failures
    }

    async fn read(&self, record: Option<Object>) -> (Drills, Option<Failure>) {
        let Some(record) = record else { return (Drills::Never, None) };
        match self.known.get(&record, self.repository.last_drill(&record)).await {
            Ok(drills) => (drills, None),
            Err(Error::NotFound { .. }) => (Drills::Never, None),
            Err(error) => (Drills::Unreadable { how: error.to_string(), remedy: Remedy::Wait }, Some(error.into())),
        }
    }
}
