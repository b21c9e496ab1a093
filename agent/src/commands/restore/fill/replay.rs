//! `pg_restore`'s script, made while the archive is read, into one psql session of ours.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::process::{ChildStdout, Command};

use postgres::Psql;
use postgres::database::paths::Of;
use postgres::programs::pg_restore::{self, Choice, Section, Way};
use postgres::programs::script::{Kind, Trimmed};
use postgres::programs::session::{Session, SessionError};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure;
use crate::commands::restore::fill::feed::Feed;
use crate::commands::restore::fill::paths::Paths;
use crate::commands::restore::fill::{in_parts, spool};
use crate::commands::restore::job::Job;
use crate::commands::restore::reading::{Through, filled};
use crate::commands::restore::tables;

/// Whether psql can still be spoken to after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionState {
    Alive,
    Ended,
}

/// Why a script wasn't replayed.
type Broken = (Failure, SessionState);

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
    let (choice, _list) = job.choice_without(left_out).map_err(alive)?;
    let kind =
        Kind { transaction: way == Way::Replacing, knows_timeout: job.facts.target.role.knows_transaction_timeout() };
    if job.wish.search_path_fix {
        return in_sections(job, session, &choice, (way, kind), left_out);
    }
    pass(job, session, (&mut script(job, &choice, way), kind), |feed| feed.read_in(job))
}

/// The same in sections. In between functions get a search_path, and privileges wait for the rows, as they do in one script.
fn in_sections(
    job: &Job,
    session: &mut Session,
    choice: &Choice,
    (way, kind): (Way, Kind),
    left_out: &BTreeSet<i32>,
) -> Result<Through, Broken> {
    let section = |section: Section, choice: &Choice| {
        let mut command = script(job, choice, way);
        section.alone(&mut command);
        command
    };
    let (head, paths) = (in_parts::head(job).map_err(alive)?, Paths::default());
    let closed = Choice { without_privileges: true, ..choice.clone() };
    pass(job, session, (&mut section(Section::Definitions, &closed), kind), |feed| feed_head(feed, &head))?;
    let of = if way == Way::Replacing { Of::Transaction } else { Of::Database };
    paths.give_by(job, of, |script| session.ask(script).map_err(ended)).map_err(|Stopped(broken)| broken)?;
    let through = pass(job, session, (&mut section(Section::Data, choice), kind), |feed| feed.read_in(job))?;
    // In this order, as pg_restore has it: definitions, privileges, and what is filled by whoever may read then.
    let wanted = |id: &i32| !left_out.contains(id);
    let refreshes: BTreeSet<i32> = in_parts::refreshes(job).filter(wanted).collect();
    let (rest, _list) = job.choice_without(&left_out.union(&refreshes).copied().collect()).map_err(alive)?;
    let rest = Choice { without_privileges: true, ..rest };
    pass(job, session, (&mut section(Section::Finish, &rest), kind), |feed| feed_head(feed, &head))?;
    let list = tables::list_of(in_parts::privileges(job).filter(wanted)).map_err(alive)?;
    let privileges = Choice { list: Some(list.path().to_owned()), ..choice.clone() };
    pass(job, session, (&mut script(job, &privileges, way), kind), |feed| feed_head(feed, &head))?;
    let list = tables::list_of(refreshes.into_iter()).map_err(alive)?;
    let refreshes = Choice { list: Some(list.path().to_owned()), ..rest };
    pass(job, session, (&mut section(Section::Finish, &refreshes), kind), |feed| feed_head(feed, &head))?;
    session.ask(&paths.removal().unwrap_or_default()).map_err(|e| ended(e).0)?;
    Ok(through)
}

fn script(job: &Job, choice: &Choice, way: Way) -> Command {
    pg_restore::script(&job.facts.head.pg_restore, job.server.psql.connection(), choice, way)
}

fn alive(failure: Failure) -> Broken {
    (failure, SessionState::Alive)
}

/// A question to the session that wasn't answered, or whose answer wasn't understood.
struct Stopped(Broken);

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self(alive(failure))
    }
}

fn ended(error: SessionError) -> Stopped {
    Stopped((Failure::new(Exit::Failed, error.to_string()), SessionState::Ended))
}

/// A file with the archive's head, to its end.
fn feed_head(mut feed: Feed, mut head: &File) -> Result<(), Failure> {
    let mut block = vec![0; 256 << 10];
    head.rewind().map_err(|e| spool::unreadable(&e))?;
    loop {
        let length = head.read(&mut block).map_err(|e| spool::unreadable(&e))?;
        if length == 0 {
            return feed.end();
        }
        feed.write(filled(&block, length).map_err(|e| spool::unreadable(&e))?)?;
    }
}

/// The script of one pg_restore, which `read` feeds, into psql.
fn pass<T>(
    job: &Job,
    session: &mut Session,
    (command, kind): (&mut Command, Kind),
    read: impl FnOnce(Feed) -> Result<T, Failure>,
) -> Result<T, Broken> {
    let (feed, script) = Feed::start(command, &job.interrupt).map_err(alive)?;
    std::thread::scope(|scope| {
        let pump = scope.spawn(|| pump(script, Trimmed::new(kind), session));
        let read = read(feed);
        let pumped = pump.join().unwrap_or_else(|_| Err(io::Error::other("the script's thread panicked")));
        match (read, pumped) {
            (Ok(read), Ok(())) => Ok(read),
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
