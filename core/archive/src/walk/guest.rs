//! Dumps of other forms, which are walked through as well: a script is counted by itself, and a tar as the archive in it.

use serde::{Deserialize, Serialize};

use super::packed::TarReader;
use super::plain::PlainCount;
use crate::sniff::Kind;

/// Where the walk through a dump of another form is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Guest {
    Plain(Box<PlainCount>),
    Tar(Box<TarReader>),
}

impl Guest {
    /// What walks through content of this kind.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::PlainSql => Some(Self::Plain(Box::new(PlainCount::new()))),
            Kind::Tar => Some(Self::Tar(Box::default())),
            _ => None,
        }
    }
}
