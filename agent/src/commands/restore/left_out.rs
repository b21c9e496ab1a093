//! What of a backup could not be made as it was, with `--keep-going`.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::answers::report::printable;

/// What could not be made as it was, as far as is known now.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    all: Mutex<Vec<Difference>>,
}

/// One thing that differs from the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Difference {
    /// What it is, and of what.
    what: String,
    became: Became,
    /// In the server's words.
    why: String,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Became {
    /// It holds for new rows, and was not checked for those that are there.
    NotValid,
    /// It isn't there; of a materialized view: it has no rows.
    Missing,
}

impl LeftOut {
    /// One more.
    pub(crate) fn add(&self, what: impl fmt::Display, became: Became, why: impl Into<String>) {
        let difference = Difference { what: what.to_string(), became, why: why.into() };
        tracing::warn!("{difference}");
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(difference);
    }

    /// All is made anew.
    pub(crate) fn clear(&self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// All of it, in the order in which it came up.
    pub(crate) fn all(&self) -> Vec<Difference> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let became = match self.became {
            Became::NotValid => "is NOT VALID",
            Became::Missing => "is missing",
        };
        write!(f, "{} {became}: {}", printable(&self.what), printable(&self.why))
    }
}
