//! Why a backup was made.

use std::fmt;

use catalog::manifest::Purpose;
use catalog::{Entry, Manifest, State};
use serde::Serialize;

/// Why a backup was made, as far as a listing tells.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Backup,
    Safety,
    Adopted,
    Erased,
    Guest,
}

impl Kind {
    pub(super) fn of(entry: &Entry, manifest: Option<&Manifest>) -> Self {
        match (entry.state, manifest.map(|manifest| manifest.purpose)) {
            (State::Guest, _) => Self::Guest,
            (_, Some(Purpose::Adopted)) => Self::Adopted,
            (_, Some(Purpose::Erased)) => Self::Erased,
            _ if entry.is_safety() => Self::Safety,
            _ => Self::Backup,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backup => "backup",
            Self::Safety => "safety",
            Self::Adopted => "adopted",
            Self::Erased => "erased",
            Self::Guest => "guest",
        })
    }
}
