//! Which partitions belong to a table that is partitioned by hash. Where the key is an enum's value, its hash depends on a number that the
//! value got when it was made: a restored row may be in another partition of the same table.

use std::collections::{HashMap, HashSet};

use ::archive::TableCensus;
use postgres::words::inheritance;

use crate::commands::restore::head::Head;

/// For each table, the ones right above it, and those that are partitioned by hash.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    parents: HashMap<Name, Name>,
    hashed: HashSet<Name>,
}

type Name = (String, String);

impl Partitions {
    pub(super) fn of(head: &Head) -> Self {
        let mut partitions = Self::default();
        for entry in head.contents.iter().filter(|entry| ["TABLE", "TABLE ATTACH"].contains(&entry.kind.as_str())) {
            let Some(definition) = &entry.definition else { continue };
            let name = (entry.schema.clone(), entry.name.clone());
            if definition.contains(")\nPARTITION BY HASH ") {
                partitions.hashed.insert(name.clone());
            }
            for parent in inheritance::parents(definition) {
                partitions.parents.insert(name.clone(), parent);
            }
        }
        partitions
    }

    /// The topmost table above this one, if a hash decides anywhere between which rows it holds.
    pub(super) fn hashed_below(&self, table: &TableCensus) -> Option<String> {
        let mut name = &(table.schema.clone(), table.name.clone());
        let mut is_hashed = false;
        // As deep as tables are: a circle, which no server has, ends.
        for _ in 0..=self.parents.len() {
            let Some(parent) = self.parents.get(name) else { break };
            is_hashed |= self.hashed.contains(parent);
            name = parent;
        }
        is_hashed.then(|| format!("{}.{}", name.0, name.1))
    }
}
