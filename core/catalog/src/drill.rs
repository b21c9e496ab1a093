//! A drill: a restore into a scratch database that was compared with what had been dumped, and what came of it.
//!
//! `{stem}.drill.json` beside the archive is about that backup, and goes with it. `status/drills/{database}.json` is about the database,
//! and outlives every backup: it answers when a restore was last proved.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::document::{DocumentError, Kind, Unknown};
use crate::manifest::{Agent, seconds};

const DRILL: Kind = Kind { what: "drill", version: 1 };
const STATUS: Kind = Kind { what: "status of a database's drills", version: 1 };

/// Drill version 1: `{stem}.drill.json`. In JSON, times are RFC 3339 in UTC, sizes bytes and durations seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drill {
    /// The PostgreSQL name of the database that was backed up.
    pub database: String,
    /// The backup's name, with its date folder where it has one.
    pub backup: String,
    /// When that backup was made, as far as can be trusted.
    pub made: Timestamp,
    /// Which bytes were restored: the MD5 of the stored archive.
    pub md5: String,
    /// When the drill began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// Whether the restored database is what was dumped, and every check holds.
    pub passed: bool,
    /// Why there was nothing to compare: the restore or the second dump failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The server that it was restored onto.
    pub server: DrillServer,
    /// How long each part took, in their order.
    pub parts: Vec<TimedPart>,
    /// How much was compared.
    pub compared: Compared,
    /// What differs, a plain sentence each, the first hundred; empty after a drill that passed.
    pub differences: Vec<String>,
    /// How many things differ.
    pub differing: u64,
    /// What could not be compared, and why, a plain sentence each.
    pub uncompared: Vec<String>,
    /// The user's own checks.
    pub checks: Vec<Check>,
    /// Who ran it.
    pub agent: Agent,
    /// Fields of a later version, kept when it is written again.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// Where a backup was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillServer {
    /// Which one.
    pub kind: ServerKind,
    /// Its version, as the server tells it; null where it never answered.
    pub version: Option<String>,
}

/// Which server a drill used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerKind {
    /// The one that the settings name: the one that is backed up.
    Settings,
    /// Another one, named for the drill.
    Other,
    /// A private one, made for the drill and removed after it.
    Temporary,
}

/// A part of a drill, and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedPart {
    /// `server`, `download`, `rows`, `indexes`, `checks`, `dump`.
    pub name: String,
    /// How long it took.
    #[serde(rename = "seconds", with = "seconds")]
    pub duration: Duration,
}

/// How much was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// Tables with rows in the archive.
    pub tables: u64,
    /// Their rows, as far as they can be counted.
    pub rows: u64,
    /// Bytes of their rows' text and of all large objects.
    pub bytes: u64,
    /// Large objects.
    pub large_objects: u64,
    /// Sequences, each by its value.
    pub sequences: u64,
    /// Definitions: every other entry of the archive's table of contents.
    pub definitions: u64,
}

/// A query of the user's that has to return true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The query.
    pub query: String,
    /// Whether it returned true.
    pub passed: bool,
    /// What it returned or failed with instead; no value of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Status of a database's drills version 1: `status/drills/{database}.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrillStatus {
    /// The last drill, passed or not.
    pub last: Drill,
    /// When the last one that passed ended; null when none ever did.
    pub last_passed: Option<Timestamp>,
    /// Fields of a later version, kept when it is written again.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// What whoever watches asks of a database's drills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastDrill {
    /// The name of the backup that was restored, with its date folder where it has one.
    pub backup: String,
    /// When the last drill ended, passed or not.
    pub finished: Timestamp,
    /// How long it took.
    pub took: SignedDuration,
    /// Whether it passed.
    pub passed: bool,
    /// When one last passed.
    pub last_passed: Option<Timestamp>,
    /// Why it didn't, a plain sentence: the failure, or the first of what differs.
    pub reason: Option<String>,
}

impl Drill {
    /// Why it didn't pass, a plain sentence; `None` where nothing says so.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let differs = || {
            let first = self.differences.first()?;
            let more = self.differing.saturating_sub(1);
            Some(if more == 0 { first.clone() } else { format!("{first}; and {more} more") })
        };
        let unmet = || {
            let check = self.checks.iter().find(|check| !check.passed)?;
            let answer = check.answer.as_ref().map_or_else(String::new, |answer| format!(" ({answer})"));
            Some(format!("the check `{}` is not true{answer}", check.query))
        };
        self.failure.clone().or_else(differs).or_else(unmet).filter(|_| !self.passed)
    }

    /// How long all of it took: the time in which the database is back, and the comparison.
    #[must_use]
    pub fn duration(&self) -> SignedDuration {
        self.finished.duration_since(self.started)
    }

    /// Reads a drill.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (drill, unknown) = DRILL.read::<Self>(json)?;
        Ok(Self { unknown, ..drill })
    }

    /// The drill as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        DRILL.write(self, &self.unknown)
    }
}

impl DrillStatus {
    /// What whoever watches asks of it.
    #[must_use]
    pub fn last(&self) -> LastDrill {
        let Self { last, last_passed, .. } = self;
        LastDrill {
            backup: last.backup.clone(),
            finished: last.finished,
            took: last.duration(),
            passed: last.passed,
            last_passed: *last_passed,
            reason: last.reason(),
        }
    }

    /// The status after `drill`, where `before` was known.
    #[must_use]
    pub fn after(before: Option<Self>, drill: Drill) -> Self {
        let (known, unknown) = before.map_or_else(Default::default, |before| (before.last_passed, before.unknown));
        let last_passed = if drill.passed { Some(drill.finished) } else { known };
        Self { last: drill, last_passed, unknown }
    }

    /// Reads a status.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (status, unknown) = STATUS.read::<Self>(json)?;
        Ok(Self { unknown, ..status })
    }

    /// The status as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        STATUS.write(self, &self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::time;

    fn drill(passed: bool, finished: &str) -> Drill {
        Drill {
            database: "app".into(),
            backup: "20260120/app_backup_20260120_030000".into(),
            made: time("2026-01-20T03:00:00Z"),
            md5: "ab".repeat(16),
            started: time("2026-01-20T05:00:00Z"),
            finished: time(finished),
            passed,
            failure: None,
            server: DrillServer { kind: ServerKind::Temporary, version: Some("15.14".into()) },
            parts: vec![TimedPart { name: "rows".into(), duration: Duration::from_millis(1_500) }],
            compared: Compared { tables: 2, rows: 12, bytes: 345, large_objects: 0, sequences: 1, definitions: 9 },
            differences: Vec::new(),
            differing: 0,
            uncompared: Vec::new(),
            checks: vec![Check { query: "SELECT count(*) > 0 FROM users".into(), passed: true, answer: None }],
            agent: Agent { version: "0.1.0".into(), host: "db1".into() },
            unknown: Unknown::default(),
        }
    }

    #[test]
    fn a_drill_is_this_document() {
        let drill = drill(true, "2026-01-20T05:00:09Z");
        let json = String::from_utf8(drill.to_json().unwrap()).unwrap();
        insta::assert_snapshot!(json);
        assert_eq!(Drill::from_json(json.as_bytes()).unwrap(), drill);
        assert_eq!(drill.duration(), SignedDuration::from_secs(9));
    }

    #[test]
    fn a_drill_says_why_it_did_not_pass() {
        let passed = drill(true, "2026-01-20T05:00:09Z");
        assert_eq!(passed.reason(), None);
        let failed = Drill { passed: false, ..passed };
        let unmet = Check { passed: false, answer: Some("it returned false".into()), ..failed.checks[0].clone() };
        let unmet = Drill { checks: vec![unmet], ..failed.clone() };
        assert_eq!(
            unmet.reason().unwrap(),
            "the check `SELECT count(*) > 0 FROM users` is not true (it returned false)"
        );
        let differs = Drill { differences: vec!["table a differs".into()], differing: 3, ..unmet };
        assert_eq!(differs.reason().unwrap(), "table a differs; and 2 more");
        let broken = Drill { failure: Some("the restore failed".into()), ..differs };
        assert_eq!(broken.reason().unwrap(), "the restore failed");
        assert_eq!(failed.reason(), None);
    }

    #[test]
    fn a_drill_that_failed_leaves_the_time_of_the_last_that_passed() {
        let passed = DrillStatus::after(None, drill(true, "2026-01-20T05:00:09Z"));
        let failed = DrillStatus::after(Some(passed), drill(false, "2026-01-21T05:00:09Z"));
        assert_eq!(failed.last_passed, Some(time("2026-01-20T05:00:09Z")));
        assert_eq!(DrillStatus::from_json(&failed.to_json().unwrap()).unwrap(), failed);
        assert_eq!(DrillStatus::after(None, drill(false, "2026-01-21T05:00:09Z")).last_passed, None);
    }
}
