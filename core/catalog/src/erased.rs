//! What was erased from a backup, as the manifest of the one that took its place says it.

use archive::{CopiedRows, Md5, Sha256Hex, Table};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::backup::Stem;

/// What was erased, in the manifest of the backup that took the original's place. In JSON, times are RFC 3339 in UTC, sizes bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// The original's name.
    pub of: Stem,
    /// When the original was made, as far as can be trusted: this one counts as that old.
    pub made: Timestamp,
    /// Of the original's stored archive.
    pub size: u64,
    /// Of the original's stored archive.
    pub md5: Md5,
    /// SHA-256 of what was asked for, behind a salt that only the person who asked was told: see [`request()`].
    pub request: Sha256Hex,
    /// The tables that differ from the original's; all others are the same.
    pub tables: Vec<ErasedTable>,
}

/// A table before and after. Rows that were changed have left it, and come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasedTable {
    /// Its schema, as the census has it.
    pub schema: String,
    /// Its name, as the census has it.
    pub name: String,
    /// Rows before.
    pub before: u64,
    /// Rows that have left it.
    pub left: u64,
    /// Rows that have come.
    pub came: u64,
    /// Rows after.
    pub after: u64,
    /// The census's digest before, behind the salt of the request: see [`request()`]. By itself it would let people try which row is gone.
    pub sha256_before: Sha256Hex,
    /// The census's digest after.
    pub sha256_after: Sha256Hex,
}

impl ErasedTable {
    /// What became of a table. None where its rows can't be counted.
    #[must_use]
    pub fn new(salt: &str, before: &Table, (left, came): (&CopiedRows, &CopiedRows), after: &Table) -> Option<Self> {
        Some(Self {
            schema: before.census.schema.clone(),
            name: before.census.name.clone(),
            before: before.census.rows?,
            left: left.rows,
            came: came.rows,
            after: after.census.rows?,
            sha256_before: request(salt, before.census.sha256.to_string().as_bytes()),
            sha256_after: after.census.sha256,
        })
    }
}

/// What a salt and a request come to: `SHA-256(salt, 0, request)`. Without the salt nobody can try whether it was about somebody.
#[must_use]
pub fn request(salt: &str, asked: &[u8]) -> Sha256Hex {
    Sha256Hex::of(&[salt.as_bytes(), &[0], asked].concat())
}
