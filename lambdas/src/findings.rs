//! What came of a function, as plain values. Messages and metrics are made of these, and know nothing of the functions.

use catalog::freshness::Finding;
use catalog::retention::Refusal;
use catalog::{BackupId, Entry, Freshness, Verdict};
use jiff::{SignedDuration, Timestamp};

/// A good backup to fall back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// The shortest name that finds it.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
}

/// A backup that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The backup's name.
    pub id: BackupId,
    /// What was found.
    pub verdict: Verdict,
    /// Stored bytes that were read.
    pub read: u64,
    /// How many invocations it took.
    pub rounds: u32,
    /// From the beginning of the first of them to the verdict.
    pub took: SignedDuration,
    /// How it compares with earlier ones; only for a backup with a manifest that is judged for the first time and is
    /// not a safety backup.
    pub sizes: Option<Sizes>,
}

/// A backup's size and rows, and those of the good ones before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Stored bytes.
    pub bytes: u64,
    /// Rows of all tables that were dumped with COPY.
    pub rows: u64,
    /// Stored bytes of up to seven earlier good backups.
    pub earlier_bytes: Vec<u64>,
    /// Rows of the earlier good backups whose manifests can be read.
    pub earlier_rows: Vec<u64>,
}

/// A backup that was found damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The archive, as `s3://…`.
    pub object: String,
    /// The PostgreSQL name.
    pub database: String,
    /// What was found.
    pub verdict: Verdict,
    /// The backup to use instead.
    pub last_good: Option<LastGood>,
}

/// What retention did about one database, or in a dry run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The PostgreSQL name.
    pub database: String,
    /// Whether its backups count as missing when they do not come.
    pub expected: bool,
    /// Good backups that are left.
    pub good: usize,
    /// Entries that stay.
    pub kept: usize,
    /// Backups that are gone: their names and the reasons.
    pub removed: Vec<(String, String)>,
    /// Backups that should be gone and are not, with the reason: locked, changed since, refused, or left for the next
    /// run.
    pub stayed: Vec<(String, String)>,
    /// Why nothing at all was removed.
    pub refused: Option<Refusal>,
    /// The newest good backup, to fall back to.
    pub newest_good: Option<LastGood>,
}

/// How fresh one database's backups are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauge {
    /// The PostgreSQL name.
    pub database: String,
    /// The age of the newest good backup.
    pub good: Freshness,
    /// The age of the newest one, verified or not: it tells backups that stopped from a verifier that stopped.
    pub uploaded: Freshness,
    /// What is unhealthy about its age.
    pub finding: Option<Finding>,
    /// The newest good backup, to fall back to.
    pub newest_good: Option<LastGood>,
    /// When its backups began to be expected.
    pub since: Option<Timestamp>,
}

impl From<&Entry> for LastGood {
    fn from(entry: &Entry) -> Self {
        Self { name: entry.name(), made: entry.instant }
    }
}
