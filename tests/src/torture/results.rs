//! What the cases came to, kept in a file for each family: the page is written from them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::case::Family;
use super::verdict::Verdict;
use crate::tools;

/// What came of one case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The case's name.
    pub case: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The command's last words, for people to read.
    pub said: String,
    /// How long it took, the judge included.
    pub seconds: f64,
    /// How to run it alone.
    pub command: String,
}

impl Record {
    /// The part of its name that says which command, or what else was struck.
    pub fn subject(&self) -> &str {
        self.case.split('/').nth(1).unwrap_or_default()
    }

    /// The part of its name before that.
    pub fn family(&self) -> &str {
        self.case.split('/').next().unwrap_or_default()
    }
}

/// Keeps what a family's cases came to, in place of what was kept.
pub fn save(family: Family, records: &[Record]) {
    std::fs::create_dir_all(path(family).parent().unwrap()).unwrap();
    std::fs::write(path(family), serde_json::to_string_pretty(records).unwrap()).unwrap();
}

/// What was kept of a family.
pub fn known(family: Family) -> Option<Vec<Record>> {
    serde_json::from_str(&std::fs::read_to_string(path(family)).ok()?).ok()
}

fn path(family: Family) -> PathBuf {
    tools::root().join("target/torture").join(family.name()).with_extension("json")
}
