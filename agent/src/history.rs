//! Notes how a database's backups are today, for the page that people look at. Nothing decides by it: whoever may not write it is
//! told so with `--verbose` alone.

use std::time::Duration;

use catalog::history::{History, PastDrill};
use jiff::Timestamp;
use repository::Repository;

/// Nobody waits longer for it.
const LIMIT: Duration = Duration::from_secs(10);

/// Adds a day to the database's history. It costs a command nothing but time.
pub(crate) async fn note(repository: &Repository, noted: &History, now: Timestamp) {
    let why = match tokio::time::timeout(LIMIT, repository.note_history(noted, now)).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it took longer than {} seconds", LIMIT.as_secs()),
    };
    tracing::debug!("cannot note in the history of {} how its backups are today: {why}", noted.database);
}

/// The drill that is known, as the history has it.
pub(crate) fn drills(last: Option<&catalog::drill::LastDrill>) -> Vec<PastDrill> {
    last.map(PastDrill::of).into_iter().collect()
}
