//! Where an archive has what: its frames, its tables, and which keys each part of a large table has. Made in the pass that stores
//! the archive, so that a row is read later without the rest.
//!
//! A part's lowest and highest key are kept, not its first: so rows may lie in any order, and only the parts are read whose keys can
//! be the one that is looked for. The more an archive holds, the larger its parts: an index stays small.

mod frames;
mod keys;
mod marker;
#[cfg(test)]
mod tests;
mod zone;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use frames::Frames;
pub use keys::Keys;
pub use marker::Marker;
pub use zone::Bound;

/// An archive's index. Offsets are bytes of the dump from its beginning, before compression and encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Where the table of contents ends.
    pub contents_end: u64,
    /// How long the dump is.
    pub dumped: u64,
    /// Its frames.
    pub frames: Frames,
    /// Every table whose rows are in it, in its order.
    pub tables: Vec<TableMarks>,
}

/// Where one table's rows are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableMarks {
    /// The number of the entry with its rows.
    pub id: i32,
    /// Where their first chunk begins.
    pub at: u64,
    /// Where they end.
    pub end: u64,
    /// The parts of a table that is large and has a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyMarks>,
}

/// The parts of a table by its key's first column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyMarks {
    /// Which field of a row it is, counted from 0.
    pub field: usize,
    /// In the dump's order, without a gap.
    pub parts: Vec<Part>,
}

/// Some rows that lie one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Where the chunk of the first begins.
    pub at: u64,
    /// A key that is not above the lowest of theirs; `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Bound>,
    /// A key that is not below the highest of theirs; `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Bound>,
}

impl Index {
    /// The table with this entry.
    #[must_use]
    pub fn table(&self, id: i32) -> Option<&TableMarks> {
        self.tables.iter().find(|table| table.id == id)
    }
}

impl TableMarks {
    /// Where all of its rows are.
    #[must_use]
    pub fn whole(&self) -> Range<u64> {
        self.at..self.end
    }

    /// Where rows are that may have these texts in these fields, each counted from 0. Every range begins with a chunk.
    #[must_use]
    pub fn places(&self, wanted: &[(usize, &[u8])]) -> Vec<Range<u64>> {
        let Some(key) = &self.key else { return vec![self.whole()] };
        let wanted = wanted.iter().find(|(field, _)| *field == key.field);
        let Some((_, text)) = wanted else { return vec![self.whole()] };
        let ends = key.parts.iter().skip(1).map(|part| part.at).chain([self.end]);
        let mut places: Vec<Range<u64>> = Vec::new();
        for (part, end) in key.parts.iter().zip(ends).filter(|(part, _)| part.may_hold(text)) {
            match places.last_mut().filter(|last| last.end == part.at) {
                Some(last) => last.end = end,
                None => places.push(part.at..end),
            }
        }
        places
    }
}

impl Part {
    fn may_hold(&self, text: &[u8]) -> bool {
        self.from.as_ref().is_none_or(|from| from.is_at_most(text))
            && self.to.as_ref().is_none_or(|to| to.is_at_least(text))
    }
}
