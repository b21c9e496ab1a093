//! Backups that have lost rows, which nobody has accepted: those of the listed days, and those that retention has seen. What they have
//! lost stands in a record beside each, which is read once.

use std::collections::BTreeMap;

use catalog::shrink::{HOLD, Shrink};
use catalog::status::{Run, Shrunk};
use catalog::{BackupId, Catalog, Entry, Object};
use jiff::Timestamp;
use repository::{Error, Repository};

use super::cache::Cache;
use crate::Failure;
use crate::findings::{Gauge, OpenShrink};

/// How many are looked into in one run; of the others it is only said that they are there.
const LOOKED_INTO: usize = 100;

/// Reads the records, and remembers them.
#[derive(Clone, Debug)]
pub(super) struct ShrinkRecords {
    repository: Repository,
    known: Cache<Option<Shrink>>,
}

/// What a listing and retention show, by the backups' names.
#[derive(Debug, Default)]
pub(super) struct Listed(BTreeMap<BackupId, Shrunk>);

impl Listed {
    /// What retention has seen lately, and what these catalogs show of the last days. A person may have accepted one since retention ran.
    pub(super) fn of(catalogs: &[Catalog], prune: Option<&Run>, now: Timestamp) -> Self {
        let seen = prune.iter().flat_map(|run| &run.shrunk).filter(|shrunk| now < shrunk.until);
        let mut all: BTreeMap<BackupId, Shrunk> = seen.map(|shrunk| (shrunk.backup.clone(), shrunk.clone())).collect();
        for entry in catalogs.iter().flat_map(|catalog| &catalog.entries) {
            match shrunk(entry).filter(|shrunk| now < shrunk.until) {
                Some(shrunk) => drop(all.entry(entry.id.clone()).or_insert(shrunk)),
                None if entry.shrunk.is_some() => drop(all.remove(&entry.id)),
                None => {}
            }
        }
        Self(all)
    }

    /// Newest names first.
    pub(super) fn each(self) -> impl Iterator<Item = Shrunk> {
        self.0.into_values().rev()
    }
}

fn shrunk(entry: &Entry) -> Option<Shrunk> {
    let until = entry.shrunk_since()?.checked_add(HOLD).ok()?;
    Some(Shrunk { backup: entry.id.clone(), record: entry.shrunk.clone()?, until, kept: 0 })
}

impl ShrinkRecords {
    pub(super) fn new(repository: Repository) -> Self {
        Self { repository, known: Cache::default() }
    }

    /// Adds to the state of each database which of its backups have lost rows.
    pub(super) async fn add(&self, gauges: &mut [Gauge], listed: Listed) -> Vec<Failure> {
        let (mut failures, mut left) = (Vec::new(), LOOKED_INTO);
        for Shrunk { backup, record, until, kept } in listed.each() {
            let database = backup.stem.database();
            let Some(gauge) = gauges.iter_mut().find(|gauge| gauge.database == database) else { continue };
            let read = if left == 0 { Ok(None) } else { self.read(&record).await };
            left = left.saturating_sub(1);
            let shrink = read.unwrap_or_else(|error| {
                failures.push(error.into());
                None
            });
            gauge.shrinks.push(OpenShrink { backup, shrink, until, kept });
        }
        failures
    }

    /// A record that is broken says nothing, and that it is there does.
    async fn read(&self, record: &Object) -> Result<Option<Shrink>, Error> {
        let read = async {
            match self.repository.shrink(record).await {
                Ok(read) => Ok(Some(read.shrink)),
                Err(Error::Document { .. } | Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.known.get(record, read).await
    }
}
