//! The database and the places, tried as who backs up every night will reach them.

use serde_json::Value;

use super::nightly::Nightly;
use super::role;
use crate::answers::failure::Failure;
use crate::commands::init::asked::Source;

/// Tries all of it at once.
///
/// # Errors
/// What is wrong, and what mends it.
pub(super) fn both(nightly: Nightly<'_>, source: &Source) -> Result<(), Failure> {
    let told = nightly.run(&["backup", "--dry-run"]).map_err(|failure| explained(failure, nightly, source))?;
    let each = |name: &str| told.get(name).and_then(Value::as_array).into_iter().flatten();
    for database in each("databases") {
        let text = |name: &str| database.get(name).and_then(Value::as_str).unwrap_or_default();
        tracing::info!("{} answers: PostgreSQL {}", text("database"), text("serverVersion"));
    }
    for place in each("repositories") {
        tracing::info!("{} can be written to", place.as_str().unwrap_or_default());
    }
    Ok(())
}

/// A role that is missing over a socket has a remedy of its own.
fn explained(failure: Failure, nightly: Nightly<'_>, source: &Source) -> Failure {
    let says = |words: &str| failure.error.contains(words);
    let is_local = source.cluster.is_some();
    let lacks =
        (says("role \"") && says("does not exist")) || says("Peer authentication failed") || says("permission denied");
    if !is_local || !lacks {
        return failure;
    }
    failure.hint(role::hint(nightly.machine))
}
