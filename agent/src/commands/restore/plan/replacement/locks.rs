//! How many locks the transaction of a restore in place takes at least: every object that is dropped or made is locked until its end.

use std::collections::HashMap;

use postgres::database::objects::{Locks, ObjectId};

use crate::commands::restore::plan::replacement::{View, fate};

/// Kinds whose entries make a relation.
const RELATIONS: [&str; 7] = ["TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE", "INDEX", "CONSTRAINT"];

impl View<'_> {
    /// At least so many.
    pub(super) fn locks(&self) -> u64 {
        let goes = |locks: &&Locks| self.goes(ObjectId { class: fate::RELATIONS, oid: locks.oid });
        let going: HashMap<u32, &Locks> = self.objects.locks.iter().filter(goes).map(|l| (l.oid, l)).collect();
        let dropped: u64 = going.values().map(|locks| locks.dropped).sum();
        // What comes is as what goes, or more.
        let like_before: u64 = going.values().map(|locks| locks.made).sum();
        let archived =
            self.head.contents.iter().filter(|entry| RELATIONS.contains(&entry.kind.as_str())).count() as u64;
        dropped.saturating_add(like_before.max(archived))
    }
}
