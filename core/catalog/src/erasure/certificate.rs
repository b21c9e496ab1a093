//! What an erasure has done, and what it couldn't: a document for the person who asked, and for whoever checks. No value of a row stands
//! in it.

use std::fmt;

use archive::Sha256Hex;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::{DocumentError, Kind, Unknown};
use crate::erased::ErasedTable;
use crate::manifest::Agent;

const KIND: Kind = Kind { what: "certificate of an erasure", version: 1 };

/// Certificate version 1: `status/erasures/{time}.json`. In JSON, times are RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// The PostgreSQL name.
    pub database: String,
    /// The repository, as people name it.
    pub repository: String,
    /// When the erasure began.
    pub began: Timestamp,
    /// When it ended; null while it goes on, and for ever in one that broke off and wasn't gone on with.
    pub finished: Option<Timestamp>,
    /// What was asked for.
    pub asked: Asked,
    /// Every backup that was asked about, newest first.
    pub backups: Vec<Certified>,
    /// Where copies remain, as far as is known.
    pub remains: Vec<Remaining>,
    /// Certificates of erasures from this database that broke off, and whose salt wasn't given: what they have done stands there.
    #[serde(default)]
    pub earlier: Vec<String>,
    /// Who did it.
    pub agent: Agent,
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// What was asked for, without any value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// See [`super::request`].
    pub request: Sha256Hex,
    /// The table; null where SQL was given.
    pub table: Option<String>,
    /// The columns that were compared with a value.
    pub columns: Vec<String>,
}

/// What became of one backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Certified {
    /// Its name, with its date folder where it has one; of what was left of an upload its file, or where it was to be.
    pub backup: String,
    /// When it was made, as far as can be trusted.
    pub made: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// What took its place.
    pub replaced_by: Option<String>,
    /// The tables that differ, of one that was replaced.
    pub tables: Vec<ErasedTable>,
    /// MD5 of its stored archive.
    pub md5_before: Option<String>,
    /// MD5 of that of what took its place.
    pub md5_after: Option<String>,
    /// Why it stays, in a plain sentence, and what can be done.
    pub reason: Option<String>,
    /// Until when it is known to stay.
    pub until: Option<Timestamp>,
}

/// What became of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is gone, and another one without the rows has its place.
    Erased,
    /// It had no such rows, and stays as it is.
    Clean,
    /// What a run that broke off had left of an upload: it is gone.
    Cleared,
    /// It stays, and may hold such rows.
    Left,
}

/// A place that an erasure doesn't reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// What it is, in a plain sentence.
    pub what: String,
    /// Until when it lasts; null where nobody knows.
    pub until: Option<Timestamp>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't one.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (certificate, unknown) = KIND.read::<Self>(json)?;
        Ok(Self { unknown, ..certificate })
    }

    /// The certificate as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write(self, &self.unknown)
    }

    /// Whether it came to its end, and no backup that was asked about is left with such rows, as far as is known.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.finished.is_some() && self.backups.iter().all(|backup| backup.outcome != Outcome::Left)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Erased => "erased",
            Self::Clean => "clean",
            Self::Cleared => "cleared",
            Self::Left => "left",
        })
    }
}
