//! What is on the page. Its JSON is `lastgood report --json` and `status/report.json`: times are RFC 3339 in UTC, sizes bytes,
//! durations seconds, and null is what isn't known.

use catalog::history::DayVerdict;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

/// The version of the document.
pub const VERSION: u32 = 1;

/// The whole page.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// When it was made.
    pub made: Timestamp,
    /// Where the backups are: `s3://…`, or a directory.
    pub repository: String,
    /// What is wrong with the AWS stack, a sentence each; empty without one.
    pub stack: Vec<String>,
    /// Those with something wrong first.
    pub databases: Vec<Database>,
    /// What the page doesn't show, and why, a sentence each.
    pub notes: Vec<String>,
}

/// One database.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Its PostgreSQL name.
    pub database: String,
    /// Whether nothing is wrong.
    pub healthy: bool,
    /// When it was retired; null while backups are expected.
    pub retired: Option<Timestamp>,
    /// The newest good backup.
    pub last_good: Option<LastGood>,
    /// The age that it may have, in seconds.
    pub max_age_seconds: i64,
    /// What is wrong, and what to run.
    pub problems: Vec<Problem>,
    /// What else is to be said, a sentence each.
    pub notes: Vec<String>,
    /// The last year, a verdict a day.
    pub calendar: Vec<Calendar>,
    /// Sizes and rows in the last year, the oldest first.
    pub sizes: Vec<Size>,
    /// The tables that grew the most since an earlier backup.
    pub growing: Vec<Growing>,
    /// The drills that are known, the newest first.
    pub drills: Vec<Drill>,
    /// What retention removes next.
    pub goes_next: Option<GoesNext>,
    /// What it costs a month in US dollars, where it is in S3 and that was asked for.
    pub month_dollars: Option<f64>,
    /// How many backups there are, and their bytes.
    pub backups: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Each backup, the newest first, with what proves it.
    pub evidence: Vec<Backup>,
}

/// The newest good backup.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastGood {
    /// The shortest name that finds it.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// How old it is; below zero where a clock was wrong.
    pub age_seconds: i64,
    /// Its stored bytes.
    pub size: u64,
    /// Rows of all its tables.
    pub rows: Option<u64>,
    /// Who read it back, and when.
    pub verified: Option<Verified>,
}

/// Who read a backup back.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// When the last byte had been read.
    pub at: Timestamp,
    /// `agent`, or `function`; null where the verdict wasn't read.
    pub by: Option<String>,
    /// The machine.
    pub host: Option<String>,
    /// Lastgood's version.
    pub version: Option<String>,
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The sentence.
    pub text: String,
    /// The command to run.
    pub next: String,
}

/// One day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// In UTC.
    pub day: Date,
    /// `good`, `warned`, `late`, `damaged`, `never`; null where nobody noted it.
    pub verdict: Option<DayVerdict>,
}

/// How large a backup was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// When it was made.
    pub made: Timestamp,
    /// Stored bytes.
    pub size: u64,
    /// Rows of all tables.
    pub rows: Option<u64>,
}

/// A table that grew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Growing {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// When the earlier backup was made.
    pub since: Timestamp,
    /// Rows then.
    pub before: u64,
    /// Rows now.
    pub rows: u64,
}

/// A drill.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drill {
    /// When it ended.
    pub finished: Timestamp,
    /// The backup that was restored.
    pub backup: String,
    /// Whether what was restored is what was dumped.
    pub passed: bool,
    /// How long it took until the database was back; null where only the whole is known.
    pub restore_seconds: Option<f64>,
    /// How long all of it took, with the comparison.
    pub seconds: f64,
    /// Why it failed.
    pub reason: Option<String>,
}

/// What retention removes next, if a good backup comes each day.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GoesNext {
    /// The backup.
    pub backup: String,
    /// From when on.
    pub from: Timestamp,
}

/// One backup, and what proves it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backup {
    /// The shortest name that finds it.
    pub name: String,
    /// When it was made.
    pub made: Timestamp,
    /// `good`, `damaged`, `uploaded`, `missing`, `guest` …
    pub state: String,
    /// Stored bytes.
    pub size: u64,
    /// Rows of all tables.
    pub rows: Option<u64>,
    /// MD5 of the stored bytes, by the manifest.
    pub md5: Option<String>,
    /// CRC64NVME of the stored bytes, by the manifest.
    pub crc64nvme: Option<String>,
    /// The machine that made it.
    pub host: Option<String>,
    /// Who read it back, and when.
    pub verified: Option<Verified>,
    /// What was found damaged, a sentence each.
    pub findings: Vec<String>,
    /// When it was last restored and compared, and whether that passed.
    pub drill: Option<Drill>,
}
