//! In place: `pg_restore`'s script in one psql session, whose COMMIT is sent only after digest, archive end and every table's
//! rows have been checked.
//!
//! safety backup → stop services → end connections → begin → script → check → commit → start services. `pg_restore -1` won't
//! do: it commits before the end of its input has been seen.

use std::io::{self, Read as _};
use std::process::ChildStdout;

use archive::Walked;
use serde::Deserialize;

use crate::failure::{Exit, Failure};
use crate::postgres::Psql;
use crate::restore::counts;
use crate::restore::exchange::end_connections;
use crate::restore::job::{Feed, Job, Restored, program_failure};
use crate::restore::pg_restore;
use crate::restore::program::{Program, ProgramError};
use crate::restore::reading::Through;
use crate::restore::script::Trimmed;
use crate::restore::session::{Session, SessionError};

/// Restores in place. The safety backup has been made.
///
/// # Errors
/// Everything was rolled back then; but where only the services didn't start again, the failure says so.
pub(crate) fn run(job: &Job) -> Result<Restored, Failure> {
    let stopped = job.services.stop()?;
    job.go_on()?;
    if let Err(error) = end_connections(&job.target.maintenance, &[&job.target.name]) {
        tracing::warn!("connections to {} could not be ended, and are waited for: {error}", job.target.name);
    }
    let restored = replace(job)?;
    if let Err(error) = job.target.psql.script("ANALYZE;\n") {
        tracing::warn!("ANALYZE failed, queries may be slow until autovacuum has run: {error}");
    }
    stopped.start()?;
    Ok(restored)
}

/// The transaction.
fn replace(job: &Job) -> Result<Restored, Failure> {
    let psql = beside(&job.target.psql, &job.head.pg_restore.path);
    let mut session = Session::start(&psql, &job.interrupt).map_err(|e| program_failure(&e))?;
    let begun = match session.ask(&format!("BEGIN;\n{TRANSACTION}")) {
        Ok(number) => number,
        Err(error) => return Err(ended(session, &error)),
    };
    let through = match run_script(job, &mut session) {
        Ok(through) => through,
        // psql's own words first: what stopped the session is why the script could not go on.
        Err((failure, SessionState::Alive)) => {
            session.abandon();
            return Err(failure);
        }
        Err((failure, SessionState::Ended)) => return Err(why(session, failure)),
    };
    check(job, session, &through.walked, &begun)?;
    Ok(Restored { census: through.walked.census, dumped: through.dumped })
}

/// Whether psql can still be spoken to after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SessionState {
    Alive,
    Ended,
}

/// Archive → pg_restore → its script → psql.
fn run_script(job: &Job, session: &mut Session) -> Result<Through, (Failure, SessionState)> {
    let alive = |failure: Failure| (failure, SessionState::Alive);
    let (choice, _list) = job.choice().map_err(alive)?;
    let mut command = pg_restore::script(&job.head.pg_restore, job.target.psql.connection(), &choice);
    let started = Program::start("pg_restore", &mut command, &job.interrupt);
    let (program, pipes) = started.map_err(|e| alive(program_failure(&e)))?;
    let mut feed = Feed::new(program, pipes.stdin, &job.interrupt).map_err(alive)?;
    std::thread::scope(|scope| {
        let pump = scope.spawn(|| pump(pipes.stdout, session));
        let read = job.read_through(&mut |bytes| feed.write(bytes));
        let read = match read {
            Ok(through) => feed.end().map_err(|e| program_failure(&e)).map(|()| through),
            Err(failure) => {
                feed.stop();
                Err(failure)
            }
        };
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
fn pump(script: Option<ChildStdout>, session: &mut Session) -> io::Result<()> {
    let mut script = script.ok_or_else(|| io::Error::other("pg_restore's stdout is missing"))?;
    let mut trimmed = Trimmed::default();
    let mut block = vec![0; 256 << 10];
    loop {
        let length = script.read(&mut block)?;
        if length == 0 {
            break;
        }
        session.send(&trimmed.push(block.get(..length).unwrap_or_default())?)?;
    }
    session.send(&trimmed.finish()?)
}

/// The number of the transaction under way.
const TRANSACTION: &str = "SELECT row_to_json(t) FROM (SELECT txid_current() AS transaction) t;\n";

#[derive(PartialEq, Eq, Deserialize)]
struct Transaction {
    transaction: u64,
}

/// Everything is there, and still in the same transaction: only then COMMIT.
fn check(job: &Job, mut session: Session, walked: &Walked, begun: &str) -> Result<(), Failure> {
    tracing::info!("counting every table's rows before the commit");
    let answers = match session.ask(TRANSACTION).and_then(|now| Ok((now, session.ask(&counts::questions(job.head.encoding()))?))) {
        Ok(answers) => answers,
        Err(error) => return Err(ended(session, &error)),
    };
    let checked = same_transaction(begun, &answers.0).and_then(|number| {
        let counted = counts::read(&answers.1);
        let counted = counted.map_err(|e| Failure::new(Exit::Failed, format!("the restored rows can't be counted: {e}")))?;
        job.check_counts(&walked.census, &counted, false)?;
        job.go_on()?;
        Ok(number)
    });
    let number = match checked {
        Ok(number) => number,
        Err(failure) => {
            session.abandon();
            return Err(failure);
        }
    };
    match session.commit() {
        Ok(()) => Ok(()),
        Err(error) => after_commit(job, number, &error),
    }
}

fn same_transaction(begun: &str, now: &str) -> Result<u64, Failure> {
    let read = |text: &str| serde_json::from_str::<Transaction>(text.trim()).map(|t| t.transaction).ok();
    match (read(begun), read(now)) {
        (Some(begun), Some(now)) if begun == now => Ok(begun),
        _ => Err(Failure::new(Exit::Failed, "the backup's own SQL ended the transaction half way: part of it may be in the database")
            .hint("restore the safety backup by swap: lastgood list shows it as pre_restore")),
    }
}

/// A connection that breaks at COMMIT leaves open whether it was done; the server knows.
fn after_commit(job: &Job, number: u64, error: &ProgramError) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Status {
        status: Option<String>,
    }
    let asked = job.target.psql.row::<Status>(&format!("SELECT txid_status({number}) AS status"));
    match asked.ok().flatten().and_then(|row| row.status).as_deref() {
        Some("committed") => Ok(()),
        Some("aborted") => Err(program_failure(error)),
        _ => Err(Failure::new(Exit::Failed, format!("the connection broke at COMMIT, and whether it was done isn't known: {error}"))
            .hint(format!("ask the server: SELECT txid_status({number})"))),
    }
}

fn ended(session: Session, error: &SessionError) -> Failure {
    why(session, Failure::new(Exit::Failed, error.to_string()))
}

/// What psql itself said at its end, if it failed.
fn why(session: Session, otherwise: Failure) -> Failure {
    match session.why() {
        Err(error) => program_failure(&error),
        Ok(()) => otherwise,
    }
}

/// The psql of pg_restore's own version: scripts of newer ones have commands that older ones don't know.
fn beside(psql: &Psql, pg_restore: &std::path::Path) -> Psql {
    let sibling = pg_restore.with_file_name("psql");
    if sibling.is_file() { Psql::new(sibling, psql.connection().clone()) } else { psql.clone() }
}
