//! What was read of one database, before it is put into words.

use std::collections::BTreeMap;

use archive::Digest;
use catalog::drill::{Drill, DrillStatus};
use catalog::history::History;
use catalog::{BackupId, Catalog, DatabaseEntry, DocumentError, Manifest, Policy, Thresholds, Verdict};
use jiff::SignedDuration;

use crate::tables::Tables;

/// What is asked of one database.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The limits.
    pub thresholds: Thresholds,
    /// Whether the days since the first backup say how many there should be.
    pub counts_days: bool,
    /// How old the last drill that passed may be, where drills are asked for.
    pub max_drill_age: Option<SignedDuration>,
    /// The rules by which backups go; `None` where another one knows, and has left it in `status/prune.json`.
    pub policy: Option<Policy>,
}

/// What was read of one database.
pub(crate) struct Parts {
    pub(crate) catalog: Catalog,
    pub(crate) mark: Option<DatabaseEntry>,
    pub(crate) asked: Asked,
    pub(crate) history: Option<History>,
    pub(crate) drills: Result<Option<DrillStatus>, DocumentError>,
    pub(crate) records: BTreeMap<BackupId, Records>,
    /// The tables of the newest good backup and of an earlier one.
    pub(crate) tables: [Option<Tables>; 2],
    /// What retention said goes next.
    pub(crate) next: Option<catalog::status::GoesNext>,
    pub(crate) notes: Vec<String>,
}

/// What was read of one backup.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) manifest: Option<Facts>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) drill: Option<Drill>,
    /// One of them is there, and nobody can say what it says.
    pub(crate) unreadable: bool,
    /// Why, where it is broken or newer: of the manifest, and of the verdict.
    pub(crate) broken: [Option<DocumentError>; 2],
}

/// What the page needs of a manifest, which may have thousands of tables.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) rows: u64,
    pub(crate) digest: Digest,
    pub(crate) host: String,
}

impl Facts {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        Self {
            rows: manifest.census.rows(),
            digest: manifest.archive.digest.clone(),
            host: manifest.agent.host.clone(),
        }
    }
}
