//! Rows that leave every backup: of each one another is made without them, which takes its place, by name and by age.
//!
//! What an erasure has done stands in the manifests of what it made, so that a run that broke off is known by the repository alone: a
//! backup stands for its original when it names it, its bytes' digest, and rows that come to its own.

mod certificate;
mod obstacle;
mod plan;
#[cfg(test)]
mod tests;

use archive::{CopiedRows, Md5, Sha256Hex, Table};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use certificate::{Asked, Certificate, Certified, Outcome, Remaining};
pub use obstacle::{Lock, Obstacle};
pub use plan::{Fate, Known, Row, number, plan};

use crate::backup::Stem;
use crate::manifest::Manifest;

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
    /// SHA-256 of what was asked for, behind a salt that only the person who asked was told: see [`request`].
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
    /// The census's digest before.
    pub sha256_before: Sha256Hex,
    /// The census's digest after.
    pub sha256_after: Sha256Hex,
}

impl ErasedTable {
    /// What became of a table. None where its rows can't be counted.
    #[must_use]
    pub fn new(before: &Table, (left, came): (&CopiedRows, &CopiedRows), after: &Table) -> Option<Self> {
        Some(Self {
            schema: before.census.schema.clone(),
            name: before.census.name.clone(),
            before: before.census.rows?,
            left: left.rows,
            came: came.rows,
            after: after.census.rows?,
            sha256_before: before.census.sha256,
            sha256_after: after.census.sha256,
        })
    }

    /// Whether rows were only removed.
    #[must_use]
    pub fn only_lost(&self) -> bool {
        self.came == 0
    }
}

/// What a salt and a request come to: `SHA-256(salt, 0, request)`. Without the salt nobody can try whether it was about somebody.
#[must_use]
pub fn request(salt: &str, asked: &[u8]) -> Sha256Hex {
    Sha256Hex::of(&[salt.as_bytes(), &[0], asked].concat())
}

impl Erased {
    /// Whether the backup with this and the manifest `mine` stands for the one with the manifest `original`: it was made of just these
    /// bytes, and its rows are as many as it says have stayed.
    #[must_use]
    pub fn stands_for(&self, mine: &Manifest, original: &Manifest) -> bool {
        let digest = &original.archive.digest;
        let is_made_of_it = (&self.of, self.size, self.md5) == (&original.stem, digest.size, digest.md5);
        let named = |table: &&ErasedTable, schema: &str, name: &str| (&*table.schema, &*table.name) == (schema, name);
        let adds_up = original.census.tables.iter().all(|before| {
            let after =
                mine.census.tables.iter().find(|after| (&after.schema, &after.name) == (&before.schema, &before.name));
            let change = self.tables.iter().find(|table| named(table, &before.schema, &before.name));
            match (after, change) {
                (Some(after), None) => (after.rows, after.bytes) == (before.rows, before.bytes),
                (Some(after), Some(change)) => {
                    (before.rows, after.rows) == (Some(change.before), Some(change.after))
                        && change.before.checked_add(change.came) == change.after.checked_add(change.left)
                }
                (None, _) => false,
            }
        });
        is_made_of_it && adds_up && mine.census.tables.len() == original.census.tables.len()
    }
}
