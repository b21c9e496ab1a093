//! The links as a document: places in an archive's stored bytes from each of which a part of it can be verified, in JSON beside it.
//!
//! No trust is needed in them, nor in whoever wrote them: a part proves the next one's beginning, or shows that it is wrong.

use serde::{Deserialize, Serialize};

use crate::backup::Stem;
use crate::document::{DocumentError, Kind, Unknown};

const KIND: Kind = Kind { what: "links", version: 1 };

/// The most places of one archive. The state machine takes in their numbers and gives back a word for each, within 256 KiB.
pub const MOST: usize = 10_000;

/// Links version 1. A place may hold some bytes of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Links {
    /// The backup's name.
    pub stem: Stem,
    /// The places.
    pub places: archive::Chain,
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Links {
    /// Reads links.
    ///
    /// # Errors
    /// When they are of a newer version, or aren't links.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        // A stranger's: taken straight, for as a tree of values a few bytes may take many.
        let malformed = |source| DocumentError::Malformed { what: KIND.what, source };
        let Versioned { version } = serde_json::from_slice(json).map_err(malformed)?;
        if version > KIND.version {
            return Err(DocumentError::Newer { what: KIND.what, version });
        }
        serde_json::from_slice(json).map_err(malformed)
    }

    /// The links as they are stored, before they are compressed: on one line, for it is long.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write_short(self, &Unknown::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_written_as_they_are_read_and_newer_ones_refused() {
        let json = br#"{"version":1,"stem":"app_backup_20260120_030000","places":{"first":null,"then":[]}}"#;
        let written = Links::from_json(json).unwrap().to_json().unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(json.to_vec()).unwrap());
        assert!(!Links::from_json(br#"{"version":2}"#).unwrap_err().is_broken());
        assert!(Links::from_json(b"{}").unwrap_err().is_broken());
    }
}
