//! What a backup has lost since the one before it: tables that are gone, and rows of tables. Such a backup is whole, and may be all
//! that is left of what somebody deleted by mistake; so it is told, and backups from before it are kept for a while.
//!
//! What comes and goes as a rule is no loss: a queue that is empty each night, a partition that makes room for the next. So tables
//! whose names differ in numbers alone count together, and a table that has fallen as low before in the last backups isn't named.

mod loss;
mod rule;

use archive::Census;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::backup::{BackupId, Stem};
use crate::document::{DocumentError, Kind, Unknown};
use crate::words;

pub use loss::Loss;
pub use rule::{Rule, lost, lost_in_another_form};

const SHRINK: Kind = Kind { what: "record of a shrink", version: 1 };
const ACCEPTANCE: Kind = Kind { what: "acceptance", version: 1 };

/// So long backups from before a shrink are kept, unless somebody says before that it is right.
pub const HOLD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many tables are named; the rest is counted.
const MOST: usize = 100;
/// How many tables a sentence names.
const NAMED: usize = 3;

/// What a backup has lost since an earlier one, in numbers alone. It stands in the backup's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shrink {
    /// The backup that it was compared with.
    pub since: BackupId,
    /// What was lost, the largest loss first, at most a hundred.
    pub tables: Vec<Loss>,
    /// How many more there are.
    #[serde(default)]
    pub more: u64,
}

/// Shrink version 1: `{stem}.shrunk.json`, put before the backup's manifest, so that a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShrinkRecord {
    /// The backup that has lost something.
    pub stem: Stem,
    /// What.
    #[serde(flatten)]
    pub shrink: Shrink,
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// Acceptance version 1: `{stem}.accepted.json`. A person says that what is in this backup is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    /// The backup.
    pub stem: Stem,
    /// When it was said.
    pub accepted: Timestamp,
    /// The name of the machine that it was said on.
    pub host: String,
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

impl Shrink {
    /// What a backup has lost since the one that is called `since`; `None` where that is nothing.
    #[must_use]
    pub fn of(since: &BackupId, losses: Vec<Loss>) -> Option<Self> {
        let more = losses.len().saturating_sub(MOST) as u64;
        let tables: Vec<Loss> = losses.into_iter().take(MOST).collect();
        (!tables.is_empty()).then(|| Self { since: since.clone(), tables, more })
    }

    /// Without what has fallen as low before, within these censuses of backups before, newest first: it comes and goes.
    #[must_use]
    pub fn without_usual(self, history: &[Census], rule: &Rule) -> Option<Self> {
        let tables: Vec<Loss> = self.tables.into_iter().filter(|loss| !rule.has_fallen_before(loss, history)).collect();
        (!tables.is_empty()).then_some(Self { tables, ..self })
    }

    /// The share that is left of what has lost the most, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share is a double")]
    pub fn least_left(&self) -> f64 {
        let left = |loss: &Loss| loss.after.unwrap_or(0) as f64 / (loss.before.max(1) as f64);
        self.tables.iter().map(left).fold(1.0, f64::min)
    }

    /// What was lost, in words: `table public.orders has 12 rows, where it had 10,000; table public.users is gone, with 500 rows`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let first = words::first_of(self.tables.iter().map(Loss::in_words), NAMED, "; ");
        match self.more {
            0 => first,
            more => format!("{first}; and {more} that are not named"),
        }
    }
}

impl ShrinkRecord {
    /// What is stored beside the backup of this name.
    #[must_use]
    pub fn new(stem: Stem, shrink: Shrink) -> Self {
        Self { stem, shrink, unknown: Unknown::default() }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (record, unknown) = SHRINK.read::<Self>(json)?;
        Ok(Self { unknown, ..record })
    }

    /// The record as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        SHRINK.write(self, &self.unknown)
    }
}

impl Acceptance {
    /// Reads an acceptance.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (acceptance, unknown) = ACCEPTANCE.read::<Self>(json)?;
        Ok(Self { unknown, ..acceptance })
    }

    /// The acceptance as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        ACCEPTANCE.write(self, &self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::time;

    fn loss(name: Option<&str>, before: u64, after: Option<u64>) -> Loss {
        Loss { schema: name.map(|_| "public".into()), name: name.map(str::to_owned), before, after, in_bytes: false }
    }

    #[test]
    fn a_shrink_is_this_document_and_reads_as_a_sentence() {
        let losses = vec![
            loss(Some("orders"), 10_000, Some(12)),
            loss(Some("users"), 500, None),
            loss(Some("events_#"), 4_000, Some(1)),
            loss(None, 100, Some(0)),
        ];
        let shrink = Shrink::of(&"20260119/app_backup_20260119_030000".parse().unwrap(), losses).unwrap();
        insta::assert_snapshot!(shrink.in_words(), @"table public.orders has 12 rows, where it had 10,000 rows; table public.users is gone, with 500 rows; the tables public.events_# together have 1 row, where they had 4,000 rows; and 1 more");
        assert!((shrink.least_left() - 0.0).abs() < f64::EPSILON);
        let record = ShrinkRecord::new("app_backup_20260120_030000".parse().unwrap(), shrink);
        let json = String::from_utf8(record.to_json().unwrap()).unwrap();
        insta::assert_snapshot!(json);
        assert_eq!(ShrinkRecord::from_json(json.as_bytes()).unwrap(), record);
    }

    #[test]
    fn what_has_lost_the_most_says_what_is_left() {
        let since: BackupId = "app_backup_20260119_030000".parse().unwrap();
        let losses = vec![loss(Some("a"), 1_000, Some(500)), loss(Some("b"), 1_000, Some(250))];
        let left = Shrink::of(&since, losses).unwrap().least_left();
        assert!((left - 0.25).abs() < f64::EPSILON, "{left}");
    }

    #[test]
    fn no_loss_is_no_shrink_and_of_many_the_first_hundred_are_named() {
        let since: BackupId = "app_backup_20260119_030000".parse().unwrap();
        assert_eq!(Shrink::of(&since, Vec::new()), None);
        let many = (0..250).map(|number| loss(Some(&format!("t{number}x")), 1_000, None)).collect();
        let shrink = Shrink::of(&since, many).unwrap();
        assert_eq!((shrink.tables.len(), shrink.more), (100, 150));
    }

    #[test]
    fn an_acceptance_is_this_document() {
        let acceptance = Acceptance {
            stem: "app_backup_20260120_030000".parse().unwrap(),
            accepted: time("2026-01-20T09:00:00Z"),
            host: "desk".into(),
            unknown: Unknown::default(),
        };
        let json = String::from_utf8(acceptance.to_json().unwrap()).unwrap();
        insta::assert_snapshot!(json);
        assert_eq!(Acceptance::from_json(json.as_bytes()).unwrap(), acceptance);
    }
}
