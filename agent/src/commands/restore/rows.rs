//! `--data-only`: rows into tables of the live database that are there and empty, in one transaction.

use std::collections::BTreeSet;

use postgres::database::loading::{self, Loading};
use postgres::programs::session::{Session, SessionError};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure::LIVE_IS_UNCHANGED;
use crate::commands::restore::fill::replay::SessionState;
use crate::commands::restore::head::Head;
use crate::commands::restore::job::Job;
use crate::commands::restore::wish::Wish;

/// What was made ready within a transaction, so that the archive's entries can come.
pub(super) struct Room {
    /// Entries that are left out.
    pub(super) left_out: BTreeSet<i32>,
    /// The statements that follow the entries.
    pub(super) put_back: String,
}

/// Locks the tables, looks once more whether they are empty, and lets keys and triggers wait.
///
/// # Errors
/// When somebody has written into one of them, or keeps it locked; and whether the session has ended of it.
pub(super) fn make_room(job: &Job, session: &mut Session) -> Result<Room, (Failure, SessionState)> {
    let ended = |error: SessionError| (Failure::new(Exit::Failed, error.to_string()), SessionState::Ended);
    let alive = |failure: Failure| (failure, SessionState::Alive);
    let tables = || job.plan.chosen.tables();
    let question = format!("{}{}", loading::lock(tables()), loading::question(tables()));
    let answer = session.ask(&question).map_err(ended)?;
    let found = loading::read(&answer)
        .map_err(|e| alive(Failure::new(Exit::Failed, format!("cannot look at the live database: {e}"))))?;
    if let Some((schema, name)) = found.filled.first() {
        let error = format!("the live database has changed since the plan was made: {schema}.{name} has rows now");
        return Err(alive(Failure::new(Exit::Failed, error).hint(format!("{LIVE_IS_UNCHANGED}; restore again"))));
    }
    session.ask(&found.open()).map_err(ended)?;
    let left_out = sequences_left_out(&job.facts.head, &job.wish, &found);
    Ok(Room { left_out, put_back: found.close() })
}

/// The values of sequences that belong to none of the tables, where single tables were chosen.
fn sequences_left_out(head: &Head, wish: &Wish, found: &Loading) -> BTreeSet<i32> {
    if wish.tables.is_empty() && wish.schemas.is_empty() {
        return BTreeSet::new();
    }
    let is_ours = |schema: &str, name: &str| found.sequences.iter().any(|(s, n)| s == schema && n == name);
    let others = head.entries("SEQUENCE SET").filter(|entry| !is_ours(&entry.schema, &entry.name));
    others.map(|entry| entry.dump_id).collect()
}
