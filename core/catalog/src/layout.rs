//! Where things lie: the one place that spells keys, and reads them back.
//!
//! A bucket has `{prefix}/{YYYYMMDD}/{stem}{suffix}`; a directory leaves prefix and date folder out. Reading a key takes
//! any text at all: what isn't ours to know is [`Part::Foreign`], and nothing ever touches that.
//!
//! A vault is a bucket in another account that replication fills. What a verifier there writes bears that account's number, so that
//! nothing that comes with the copies can take its place: `{stem}.intact.{account}.json`, `status/{account}/sweep.json`.

mod record;
#[cfg(test)]
mod tests;

use archive::Compression;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::backup::{BackupId, Stem, decode_database, encode_database, parse_day, spell_day};

pub use record::{Record, StatusRecord};

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
    /// The account whose verdicts count, where it is a vault.
    vault: Option<String>,
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
    /// A verdict or a saved place of another verifier than the one that counts here: it says nothing, and goes when the backup goes.
    Elsewhere {
        /// The backup it belongs to.
        id: BackupId,
    },
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

impl Layout {
    /// A bucket's layout. Slashes around the prefix don't matter; without a prefix, keys begin with the date folder.
    #[must_use]
    pub fn bucket(prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let root = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { root, dated: true, vault: None }
    }

    /// The same of a vault, where the verdicts of this account (twelve digits) count and no others.
    #[must_use]
    pub fn vault_of(self, account: &str) -> Self {
        Self { vault: Some(account.to_owned()), ..self }
    }

    /// Whether replication fills it, in any order and with the times of the first bucket.
    #[must_use]
    pub fn is_vault(&self) -> bool {
        self.vault.is_some()
    }

    /// A directory's layout: everything side by side.
    #[must_use]
    pub fn directory() -> Self {
        Self { root: String::new(), dated: false, vault: None }
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
        match &self.vault {
            Some(account) if Record::OF_VERIFIERS.contains(&record) => self.spell(id, &own(record, account)),
            _ => self.spell(id, record.suffix()),
        }
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
        format!("{}{HISTORY}{}.json", self.own_status(), encode_database(database))
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
        format!("{}{}", self.own_status(), record.file())
    }

    /// The folder in which the functions here write about themselves.
    fn own_status(&self) -> String {
        let account = self.vault.iter().map(|account| format!("{account}/")).collect::<String>();
        format!("{}{STATUS}{account}", self.root)
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
        if of_status.is_some() {
            let own = key.strip_prefix(self.own_status().as_str())?;
            if let Some(database) = own.strip_prefix(HISTORY) {
                return Some(Part::History { database: database_of(database)? });
            }
            return StatusRecord::ALL.into_iter().find(|record| record.file() == own).map(Part::Status);
        }
        let (day, file) = match rest.split_once('/') {
            Some((folder, file)) if self.dated => (Some(parse_day(folder)?), file),
            Some(_) => return None,
            None => (None, rest),
        };
        self.parse_verdict(day, file).or_else(|| parse_file(day, file))
    }

    /// What a verifier wrote: ours, or another's.
    fn parse_verdict(&self, day: Option<Date>, file: &str) -> Option<Part> {
        let (plain, by) = verifier_of(file);
        let (record, stem) =
            Record::OF_VERIFIERS.into_iter().find_map(|record| Some((record, plain.strip_suffix(kind(record))?)))?;
        let id = BackupId { day, stem: stem.parse().ok()? };
        Some(if by == self.vault.as_deref() { Part::Record { id, record } } else { Part::Elsewhere { id } })
    }

    fn spell(&self, id: &BackupId, suffix: &str) -> String {
        let folder = id.day.filter(|_| self.dated).map(|day| format!("{}/", spell_day(day))).unwrap_or_default();
        format!("{}{folder}{}{suffix}", self.root, id.stem)
    }
}

/// `.intact.222222222222.json`
fn own(record: Record, account: &str) -> String {
    format!("{}.{account}.json", kind(record))
}

/// `.intact`
fn kind(record: Record) -> &'static str {
    record.suffix().trim_end_matches(".json")
}

/// A file's name without its ending, and the account in it: `app.intact` of `app.intact.222222222222.json`.
fn verifier_of(file: &str) -> (&str, Option<&str>) {
    let Some(plain) = file.strip_suffix(".json") else { return (file, None) };
    match plain.rsplit_once('.') {
        Some((rest, account)) if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
            (rest, Some(account))
        }
        _ => (plain, None),
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
