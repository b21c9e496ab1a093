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
    for place in each(&database(nightly, source)?, "repositories") {
        tracing::info!("{} can be written to", place.as_str().unwrap_or_default());
    }
    Ok(())
}

/// The same, and tells of the database alone. Returns what was answered.
///
/// # Errors
/// As [`both`].
pub(super) fn database(nightly: Nightly<'_>, source: &Source) -> Result<Value, Failure> {
    let told = nightly.run(&["backup", "--dry-run"]).map_err(|failure| explained(failure, nightly, source))?;
    for database in each(&told, "databases") {
        let text = |name: &str| database.get(name).and_then(Value::as_str).unwrap_or_default();
        tracing::info!("{} answers: PostgreSQL {}", text("database"), text("serverVersion"));
    }
    Ok(told)
}

fn each<'a>(told: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    told.get(name).and_then(Value::as_array).into_iter().flatten()
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
