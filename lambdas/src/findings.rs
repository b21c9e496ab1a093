//! What came of a function, as plain values. Messages and metrics are made of these, and know nothing of the functions.

use std::fmt;

use catalog::drill::LastDrill;
use catalog::freshness::{Drills, DrillsAsked, Finding, check_drills};
use catalog::retention::Refusal;
use catalog::shrink::Shrink;
use catalog::verdict::Extent;
use catalog::words;
use catalog::{BackupId, DatabaseEntry, Entry, Freshness, Verdict};
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
    /// What was found, a sentence each.
    pub findings: Vec<String>,
    /// The backup to use instead.
    pub last_good: Option<LastGood>,
}

/// What retention did about one database, or in a dry run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The PostgreSQL name.
    pub database: String,
    /// Good backups that are left.
    pub good: usize,
    /// How many of them there could be by now, at most the minimum; `None` where none is missed, because the database isn't
    /// expected.
    pub could_be: Option<usize>,
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

/// How fresh one database's backups are, and how they are otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Gauge {
    /// The PostgreSQL name.
    pub database: String,
    /// The age of the newest good backup.
    pub good: Freshness,
    /// The age of the newest one, verified or not: it tells backups that stopped from a verifier that stopped.
    pub uploaded: Freshness,
    /// The age as a share of what it may be; `None` when nothing tells, which is as bad as any age.
    pub share: Option<f64>,
    /// What is unhealthy about its age.
    pub finding: Option<Finding>,
    /// How many backups are damaged, gone or changed for which no good one has come since.
    pub lost: usize,
    /// The newest good backup, to fall back to.
    pub newest_good: Option<LastGood>,
    /// What is known of its bytes.
    pub proof: Option<Proof>,
    /// The stored bytes that it should have at least, where a person said so.
    pub min_size: Option<u64>,
    /// When its backups began to be expected.
    pub since: Option<Timestamp>,
    /// The limits that its mark sets.
    pub own: Option<OwnLimits>,
    /// When a restore of it was last proved.
    pub drilled: Drilled,
    /// Its backups that have lost rows, which nobody has accepted, newest first.
    pub shrinks: Vec<OpenShrink>,
    /// Why nothing is known of it.
    pub trouble: Option<Trouble>,
}

/// A backup that has lost rows or tables, which nobody has accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenShrink {
    /// Its name, with its date folder.
    pub backup: BackupId,
    /// What it has lost; `None` where that can't be read.
    pub shrink: Option<Shrink>,
    /// When it keeps no other backup any more.
    pub until: Timestamp,
    /// How many backups stay for its sake alone, as retention has last counted them.
    pub kept: u64,
}

/// Why nothing is known of a database, which counts as never backed up then: a sentence without its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody has to look.
    Unknown(String),
    /// A later run asks about it.
    Waits(String),
}

/// How the drills of a database are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drilled {
    /// The last one, where one is known.
    pub last: Option<LastDrill>,
    /// What is wrong with them.
    pub finding: Option<Finding>,
    /// How long a restore has not been proved for, where drills are asked for; [`SignedDuration::MAX`] when nobody can tell.
    pub unproved: Option<SignedDuration>,
}

/// What a database's mark sets in place of the stack's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnLimits {
    /// The age in hours that its newest good backup may have.
    pub max_age_hours: Option<u32>,
    /// The stored bytes that a good backup should have.
    pub min_size: Option<u64>,
    /// When the mark was stored.
    pub set: Timestamp,
}

/// What is known of the newest good backup's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Stored bytes.
    pub size: u64,
    /// When they were found intact.
    pub verified: Option<Timestamp>,
    /// How much it is beside those before it, where its verdict says so.
    pub extent: Option<Extent>,
}

/// What is measured beside the databases.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Watch {
    /// How many databases are retired.
    pub retired: usize,
    /// The largest of the ages of the last sweep, of the last run of retention and of the oldest verdict, each as a share of its
    /// limit.
    pub overdue: f64,
    /// The age of the oldest verdict of all that can be read, in seconds.
    pub oldest_verdict: Option<f64>,
    /// Whether drills are asked for.
    pub asks_for_drills: bool,
}

/// Who gets the alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listeners {
    /// How many confirmed.
    pub confirmed: u64,
    /// How many were asked and haven't.
    pub unconfirmed: u64,
}

/// Something that people should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name among what was told, such as `stale/app`.
    pub code: String,
    /// A sentence, without its full stop.
    pub text: String,
    /// What to do: each time a sentence and the command to type.
    pub commands: Vec<[String; 2]>,
    /// Whether something is wrong until it is over; otherwise it is news, and told once.
    pub stands: bool,
    /// Whether a message tells it as soon as it is found. What others tell at once is only repeated by the daily message.
    pub at_once: bool,
}

impl Drilled {
    /// What this record says of the gauge's database. Where nothing is known of that one, nothing is of its drills, and one finding
    /// is enough. One that no mark tells the age of has time since `asked`.
    #[must_use]
    pub fn of(gauge: &Gauge, drills: &Drills, asked: DrillsAsked, now: Timestamp) -> Self {
        let DrillsAsked { max_age, since } = asked;
        if matches!(gauge.trouble, Some(Trouble::Unknown(_))) {
            return Self { unproved: max_age.map(|_| SignedDuration::MAX), ..Self::default() };
        }
        let since = gauge.since.or(since);
        Self {
            last: drills.last().cloned(),
            finding: check_drills(&gauge.database, drills, DrillsAsked { max_age, since }, now),
            unproved: max_age.map(|_| drills.unproved_for(since, now).unwrap_or(SignedDuration::MAX)),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unknown(text) | Self::Waits(text)) = self;
        f.write_str(text)
    }
}

impl OwnLimits {
    /// Those of this mark, if it sets any.
    #[must_use]
    pub fn of(entry: &DatabaseEntry, stored: Timestamp) -> Option<Self> {
        let own = Self { max_age_hours: entry.max_age_hours, min_size: entry.min_size, set: stored };
        (own.max_age_hours.is_some() || own.min_size.is_some()).then_some(own)
    }
}

impl Pruned {
    /// How many good backups are missing of those that there could be.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.could_be.unwrap_or(0).saturating_sub(self.good)
    }

    /// What is wrong until it is over, a sentence each.
    #[must_use]
    pub fn standing(&self) -> Vec<String> {
        let Self { database, good, .. } = self;
        let few = (self.missing() > 0).then(|| {
            let good = words::count(*good as u64, "good backup");
            format!("database `{database}` has {good}, where there could be {}", self.could_be.unwrap_or(0))
        });
        let refused = self.refused.as_ref();
        let refused = refused.map(|why| format!("retention removed nothing of database `{database}`: {why}"));
        few.into_iter().chain(refused).collect()
    }
}

impl Gauge {
    /// Whether its newest good backup is too old, or nobody can tell.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.share.is_none_or(|share| share > 1.0)
    }

    /// Whether its newest good backup is smaller than a person said it should be.
    #[must_use]
    pub fn is_too_small(&self) -> bool {
        self.proof.zip(self.min_size).is_some_and(|(proof, least)| proof.size < least)
    }

    /// Its newest good backup's size as a share of those before; 0 where it is too small anyway.
    #[must_use]
    pub fn size_ratio(&self) -> Option<f64> {
        if self.is_too_small() { Some(0.0) } else { self.proof?.extent?.size_ratio() }
    }

    /// Its newest good backup's rows as a share of those before.
    #[must_use]
    pub fn row_ratio(&self) -> Option<f64> {
        self.proof?.extent?.row_ratio()
    }

    /// The least share that is left of anything: of all rows, or of a table's in a backup that nobody has accepted.
    #[must_use]
    pub fn least_left(&self) -> Option<f64> {
        let shrinks = self.shrinks.iter().map(|open| open.shrink.as_ref().map_or(0.0, Shrink::least_left));
        self.row_ratio().into_iter().chain(shrinks).reduce(f64::min)
    }
}

impl From<&Entry> for LastGood {
    fn from(entry: &Entry) -> Self {
        Self { name: entry.name(), made: entry.instant }
    }
}
