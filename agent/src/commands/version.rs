//! `lastgood version`: what `--version` says, for who types a word.

use std::fmt;

use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::Report;

/// `lastgood version --json`.
#[derive(Serialize)]
struct Version {
    version: &'static str,
}

/// Prints the version.
pub(crate) fn run(report: Report) -> Result<Exit, Failure> {
    let version = Version { version: env!("CARGO_PKG_VERSION") };
    report.answer(&version, &version)?;
    Ok(Exit::Done)
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lastgood {}", self.version)
    }
}
