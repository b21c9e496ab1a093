//! `pg_restore`'s script, made while the archive is read, into one psql session of ours.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::process::ChildStdout;

use postgres::Psql;
use postgres::programs::pg_restore::{self, Way};
use postgres::programs::script::{Kind, Trimmed};
use postgres::programs::session::Session;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure;
use crate::commands::restore::fill::feed::Feed;
use crate::commands::restore::job::Job;
use crate::commands::restore::reading::{Through, filled};

/// Whether psql can still be spoken to after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionState {
    Alive,
    Ended,
}

/// Archive → pg_restore → its script, without the entries `left_out` → psql.
///
/// # Errors
/// What went wrong first, and whether the session has ended of it.
pub(crate) fn replay(
    job: &Job,
    session: &mut Session,
    way: Way,
    left_out: &BTreeSet<i32>,
) -> Result<Through, (Failure, SessionState)> {
    let alive = |failure: Failure| (failure, SessionState::Alive);
    let (choice, _list) = job.choice_without(left_out).map_err(alive)?;
    let mut command = pg_restore::script(&job.facts.head.pg_restore, job.server.psql.connection(), &choice, way);
    let (feed, script) = Feed::start(&mut command, &job.interrupt).map_err(alive)?;
    let kind =
        Kind { transaction: way == Way::Replacing, knows_timeout: job.facts.target.role.knows_transaction_timeout() };
    std::thread::scope(|scope| {
        let pump = scope.spawn(|| pump(script, Trimmed::new(kind), session));
        let read = feed.read_in(job);
        let pumped = pump.join().unwrap_or_else(|_| Err(io::Error::other("the script's thread panicked")));
        match (read, pumped) {
            (Ok(through), Ok(())) => Ok(through),
            // psql ended, so pg_restore could not write on: the cause is psql's.
            (_, Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err((Failure::new(Exit::Failed, "psql ended in the middle of the script"), SessionState::Ended))
            }
            (Err(failure), _) => Err(alive(failure)),
            (Ok(_), Err(error)) => Err(alive(Failure::new(Exit::Failed, format!("the restore failed: {error}")))),
        }
    })
}

/// pg_restore's script into psql.
fn pump(script: Option<ChildStdout>, mut trimmed: Trimmed, session: &mut Session) -> io::Result<()> {
    let mut script = script.ok_or_else(|| io::Error::other("pg_restore's stdout is missing"))?;
    let mut block = vec![0; 256 << 10];
    loop {
        let length = script.read(&mut block)?;
        if length == 0 {
            break;
        }
        session.send(&trimmed.push(filled(&block, length)?)?)?;
    }
    session.send(&trimmed.finish()?)
}

/// The psql of pg_restore's own version: scripts of newer ones have commands that older ones don't know.
pub(crate) fn psql_beside(psql: &Psql, pg_restore: &std::path::Path) -> Psql {
    let sibling = pg_restore.with_file_name("psql");
    if sibling.is_file() { psql.by(sibling) } else { psql.clone() }
}

/// What psql itself said at its end, if it failed.
pub(crate) fn why(session: Session, otherwise: Failure) -> Failure {
    match session.why() {
        Err(error) => failure::program(&error),
        Ok(()) => otherwise,
    }
}
