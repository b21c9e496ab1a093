//! The links as a document: places in an archive's stored bytes from each of which a part of it can be verified, in JSON beside it.
//!
//! No trust is needed in them, nor in whoever wrote them: a part proves the next one's beginning, or shows that it is wrong.

use serde::{Deserialize, Serialize};

use crate::backup::Stem;
use crate::document::{DocumentError, Kind, Unknown};

const KIND: Kind = Kind { what: "links", version: 1 };

/// Links version 1. A place may hold some bytes of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    /// The backup's name.
    pub stem: Stem,
    /// The places.
    pub places: archive::Chain,
}

impl Links {
    /// Reads links.
    ///
    /// # Errors
    /// When they are of a newer version, or aren't links.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        KIND.read(json).map(|(links, _)| links)
    }

    /// The links as they are stored, before they are compressed: on one line, for it is long.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write_short(self, &Unknown::default())
    }
}
