//! Where things lie: the one place that spells keys, and reads them back.
//!
//! A bucket has `{prefix}/{YYYYMMDD}/{stem}{suffix}`; a directory leaves prefix and date folder out. Reading a key takes
//! any text at all: what isn't ours to know is [`Part::Foreign`], and nothing ever touches that.

#[cfg(test)]
mod tests;

use archive::Compression;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::backup::{BackupId, Stem, decode_database, encode_database, parse_day, spell_day};

const COMPRESSIONS: [Compression; 3] = [Compression::Gzip, Compression::Zstd, Compression::None];

const DATABASES: &str = "databases/";
const STATUS: &str = "status/";
const DRILLS: &str = "drills/";
const ERASURES: &str = "erasures/";
const HISTORY: &str = "history/";

/// How one repository spells its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The prefix with its final slash, or nothing.
    root: String,
    dated: bool,
}

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The bytes of a backup. Compression and encryption are what the name claims: guests' names often lie.
    Archive {
        /// The backup it belongs to.
        id: BackupId,
        /// By the suffix `.sql.gz`, `.sql.zst` or `.sql`.
        compression: Compression,
        /// By the suffix `.age`.
        encrypted: bool,
    },
    /// What lies beside an archive: a JSON document, the globals, or the index.
    Record {
        /// The backup it belongs to.
        id: BackupId,
        /// What kind of document it is.
        record: Record,
    },
    /// The mark that backups of this database are expected here.
    DatabaseEntry {
        /// The PostgreSQL name.
        database: String,
    },
    /// What a function left behind about itself.
    Status(StatusRecord),
    /// When a restore of this database was last proved: it outlives the backup that was restored.
    DrillStatus {
        /// The PostgreSQL name.
        database: String,
    },
    /// How this database's backups were on each day: it outlives the manifests.
    History {
        /// The PostgreSQL name.
        database: String,
    },
    /// Something else: not ours, never touched.
    Foreign,
}

/// The documents about the cloud side itself, one of each in a repository, written over by each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusRecord {
    /// The last sweep that looked at everything.
    Sweep,
    /// The last run of retention that looked at everything.
    Prune,
    /// What freshness found.
    Freshness,
    /// What retention has removed today.
    Removals,
    /// The page for people.
    Page,
    /// What is on that page, for programs.
    Report,
}

impl StatusRecord {
    const ALL: [Self; 6] = [Self::Sweep, Self::Prune, Self::Freshness, Self::Removals, Self::Page, Self::Report];

    fn file(self) -> &'static str {
        match self {
            Self::Sweep => "sweep.json",
            Self::Prune => "prune.json",
            Self::Freshness => "freshness.json",
            Self::Removals => "removals.json",
            Self::Page => "report.html",
            Self::Report => "report.json",
        }
    }
}

/// What lies beside an archive: small documents, the globals, and the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// Written last: its presence makes the backup exist.
    Manifest,
    /// The verdict that the stored bytes are whole.
    Intact,
    /// The verdict that they aren't.
    Damaged,
    /// The verifier's saved place.
    Verifying,
    /// Proof of the last drill.
    Drill,
    /// The server's roles and tablespaces: SQL in gzip.
    Globals,
    /// The same, encrypted as its archive is.
    SealedGlobals,
    /// What it has lost since the backup before it.
    Shrunk,
    /// A person says that this is right.
    Accepted,
    /// Where the archive has what: JSON in gzip.
    Index,
    /// The same, encrypted as its archive is.
    SealedIndex,
    /// Places from which its archive can be verified in parts: JSON in gzip.
    Links,
}

impl Record {
    const ALL: [Self; 12] = [
        Self::Manifest,
        Self::Intact,
        Self::Damaged,
        Self::Verifying,
        Self::Drill,
        Self::Globals,
        Self::SealedGlobals,
        Self::Shrunk,
        Self::Accepted,
        Self::Index,
        Self::SealedIndex,
        Self::Links,
    ];

    fn suffix(self) -> &'static str {
        match self {
            Self::Manifest => ".manifest.json",
            Self::Intact => ".intact.json",
            Self::Damaged => ".damaged.json",
            Self::Verifying => ".verifying.json",
            Self::Drill => ".drill.json",
            Self::Globals => ".globals.sql.gz",
            Self::SealedGlobals => ".globals.sql.gz.age",
            Self::Shrunk => ".shrunk.json",
            Self::Accepted => ".accepted.json",
            Self::Index => ".index.json.gz",
            Self::SealedIndex => ".index.json.gz.age",
            Self::Links => ".links.json.gz",
        }
    }
}

impl Layout {
    /// A bucket's layout. Slashes around the prefix don't matter; without a prefix, keys begin with the date folder.
    #[must_use]
    pub fn bucket(prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let root = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { root, dated: true }
    }

    /// A directory's layout: everything side by side.
    #[must_use]
    pub fn directory() -> Self {
        Self { root: String::new(), dated: false }
    }

    /// What every key begins with: the prefix and a slash, or nothing.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.root
    }

    /// Where a new backup goes: a bucket's date folder is the day it began, in UTC.
    #[must_use]
    pub fn place(&self, stem: Stem, began: Timestamp) -> BackupId {
        let began = stem.time().unwrap_or(began);
        BackupId { day: self.dated.then(|| TimeZone::UTC.to_datetime(began).date()), stem }
    }

    /// The archive's key.
    #[must_use]
    pub fn archive(&self, id: &BackupId, compression: Compression, encrypted: bool) -> String {
        self.spell(id, archive_suffix(compression, encrypted))
    }

    /// The key of a document beside the archive.
    #[must_use]
    pub fn record(&self, id: &BackupId, record: Record) -> String {
        self.spell(id, record.suffix())
    }

    /// What the keys of one backup's archive and records begin with, and no other backup's.
    #[must_use]
    pub fn common_prefix(&self, id: &BackupId) -> String {
        self.spell(id, ".")
    }

    /// The manifest's key.
    #[must_use]
    pub fn manifest(&self, id: &BackupId) -> String {
        self.record(id, Record::Manifest)
    }

    /// The key of the verdict "damaged".
    #[must_use]
    pub fn damaged(&self, id: &BackupId) -> String {
        self.record(id, Record::Damaged)
    }

    /// The key of the verifier's saved place.
    #[must_use]
    pub fn verifying(&self, id: &BackupId) -> String {
        self.record(id, Record::Verifying)
    }

    /// The key of the mark that this database's backups are expected here.
    #[must_use]
    pub fn database_entry(&self, database: &str) -> String {
        format!("{}{DATABASES}{}.json", self.root, encode_database(database))
    }

    /// The key of the globals beside the archive.
    #[must_use]
    pub fn globals(&self, id: &BackupId, encrypted: bool) -> String {
        self.record(id, if encrypted { Record::SealedGlobals } else { Record::Globals })
    }

    /// The key of the index beside the archive.
    #[must_use]
    pub fn index(&self, id: &BackupId, encrypted: bool) -> String {
        self.record(id, if encrypted { Record::SealedIndex } else { Record::Index })
    }

    /// The key of the document that says when a restore of this database was last proved.
    #[must_use]
    pub fn drill_status(&self, database: &str) -> String {
        format!("{}{STATUS}{DRILLS}{}.json", self.root, encode_database(database))
    }

    /// The key of the document that says how this database's backups were on each day.
    #[must_use]
    pub fn history(&self, database: &str) -> String {
        format!("{}{STATUS}{HISTORY}{}.json", self.root, encode_database(database))
    }

    /// The key of the certificate of an erasure that began then. People read it, and the next erasure, which goes on with one that broke off.
    #[must_use]
    pub fn erasure(&self, began: Timestamp) -> String {
        format!("{}{STATUS}{ERASURES}{}.json", self.root, TimeZone::UTC.to_datetime(began).strftime("%Y%m%d_%H%M%S"))
    }

    /// What the keys of all certificates of erasures begin with.
    #[must_use]
    pub fn erasures_prefix(&self) -> String {
        format!("{}{STATUS}{ERASURES}", self.root)
    }

    /// The key of a document about the cloud side itself.
    #[must_use]
    pub fn status(&self, record: StatusRecord) -> String {
        format!("{}{STATUS}{}", self.root, record.file())
    }

    /// What the keys of one day's backups begin with. A directory has no day folders: everything is below it.
    #[must_use]
    pub fn day_prefix(&self, day: Date) -> String {
        if self.dated { format!("{}{}/", self.root, spell_day(day)) } else { self.root.clone() }
    }

    /// What the keys of all database entries begin with.
    #[must_use]
    pub fn databases_prefix(&self) -> String {
        format!("{}{DATABASES}", self.root)
    }

    /// What the keys of all documents about the cloud side begin with.
    #[must_use]
    pub fn status_prefix(&self) -> String {
        format!("{}{STATUS}", self.root)
    }

    /// The day of a folder such as a listing by `/` returns: `backups/20260120/`. None for any other folder.
    #[must_use]
    pub fn day_of_folder(&self, folder: &str) -> Option<Date> {
        parse_day(folder.strip_prefix(self.root.as_str())?.strip_suffix('/')?).filter(|_| self.dated)
    }

    /// What a key stands for. Never fails: anything unknown is foreign.
    #[must_use]
    pub fn parse(&self, key: &str) -> Part {
        self.parse_known(key).unwrap_or(Part::Foreign)
    }

    fn parse_known(&self, key: &str) -> Option<Part> {
        let rest = key.strip_prefix(self.root.as_str())?;
        if let Some(entry) = rest.strip_prefix(DATABASES) {
            return Some(Part::DatabaseEntry { database: database_of(entry)? });
        }
        let of_status = rest.strip_prefix(STATUS);
        if let Some(database) = of_status.and_then(|rest| rest.strip_prefix(DRILLS)).map(database_of) {
            return Some(Part::DrillStatus { database: database? });
        }
        if let Some(database) = of_status.and_then(|rest| rest.strip_prefix(HISTORY)).map(database_of) {
            return Some(Part::History { database: database? });
        }
        if let Some(file) = of_status {
            return StatusRecord::ALL.into_iter().find(|record| record.file() == file).map(Part::Status);
        }
        let (day, file) = match rest.split_once('/') {
            Some((folder, file)) if self.dated => (Some(parse_day(folder)?), file),
            Some(_) => return None,
            None => (None, rest),
        };
        parse_file(day, file)
    }

    fn spell(&self, id: &BackupId, suffix: &str) -> String {
        let folder = id.day.filter(|_| self.dated).map(|day| format!("{}/", spell_day(day))).unwrap_or_default();
        format!("{}{folder}{}{suffix}", self.root, id.stem)
    }
}

/// The database that a file is about: `my.20app.json`.
fn database_of(file: &str) -> Option<String> {
    decode_database(file.strip_suffix(".json")?).filter(|name| !name.is_empty())
}

fn archive_suffix(compression: Compression, encrypted: bool) -> &'static str {
    match (compression, encrypted) {
        (Compression::Gzip, false) => ".sql.gz",
        (Compression::Zstd, false) => ".sql.zst",
        (Compression::None, false) => ".sql",
        (Compression::Gzip, true) => ".sql.gz.age",
        (Compression::Zstd, true) => ".sql.zst.age",
        (Compression::None, true) => ".sql.age",
    }
}

fn parse_file(day: Option<Date>, file: &str) -> Option<Part> {
    let named = |suffix: &str| Some(BackupId { day, stem: file.strip_suffix(suffix)?.parse().ok()? });
    let archive = |encrypted: bool| {
        COMPRESSIONS.into_iter().find_map(|compression| {
            Some(Part::Archive { id: named(archive_suffix(compression, encrypted))?, compression, encrypted })
        })
    };
    let record =
        || Record::ALL.into_iter().find_map(|record| Some(Part::Record { id: named(record.suffix())?, record }));
    // The name of the globals ends as an archive's does.
    record().or_else(|| archive(false)).or_else(|| archive(true))
}
