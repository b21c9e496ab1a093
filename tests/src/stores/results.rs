//! What the rows came to, kept in a file for each store: the page is written from them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::store::Store;
use super::verdict::Verdict;
use crate::{agent, tools};

/// What came of one row at one store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The store.
    pub store: Store,
    /// The row's name.
    pub row: String,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub seconds: f64,
}

/// One store's file.
#[derive(Serialize, Deserialize)]
struct File {
    /// Of the agent that was tried.
    agent: u64,
    records: Vec<Record>,
}

/// Keeps what all rows came to at one store, in place of what was kept.
pub fn save(store: Store, records: &[Record]) {
    let file = File { agent: digest_of_agent(), records: records.to_vec() };
    std::fs::create_dir_all(path(store).parent().unwrap()).unwrap();
    std::fs::write(path(store), serde_json::to_string_pretty(&file).unwrap()).unwrap();
}

/// What was kept of a store; nothing where it was tried with another agent than today's.
pub fn known(store: Store) -> Option<Vec<Record>> {
    let text = std::fs::read_to_string(path(store)).ok()?;
    let file: File = serde_json::from_str(&text).ok()?;
    (file.agent == digest_of_agent()).then_some(file.records)
}

fn path(store: Store) -> PathBuf {
    tools::root().join("target/stores/results").join(store.name()).with_extension("json")
}

fn digest_of_agent() -> u64 {
    let mut hasher = DefaultHasher::new();
    std::fs::read(agent::binary()).unwrap().hash(&mut hasher);
    hasher.finish()
}
