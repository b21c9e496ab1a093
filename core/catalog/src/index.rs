//! The index as a document: where an archive has its frames, its tables and their keys, in JSON beside it.

use serde::{Deserialize, Serialize};

use crate::backup::Stem;
use crate::document::{DocumentError, Kind, Unknown};

const KIND: Kind = Kind { what: "index", version: 1 };

/// Index version 1. Offsets and lengths are bytes; keys of rows are personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// The backup's name.
    pub stem: Stem,
    /// What the archive has where.
    #[serde(flatten)]
    pub of: archive::index::Index,
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't an index.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        KIND.read(json).map(|(index, _)| index)
    }

    /// The index as it is stored, before it is compressed: on one line, for it is long.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write_short(self, &Unknown::default())
    }
}
