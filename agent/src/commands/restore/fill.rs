//! Rows and definitions into a database that is empty, in the way that the plan decided.

mod crew;
mod feed;
mod going_on;
mod heads;
mod in_parts;
mod paths;
mod relay;
pub(crate) mod replay;
mod schedule;
mod share;
mod side_by_side;
mod slots;
mod splitter;
pub(crate) mod spool;
mod stopped;
pub(crate) mod unfilled;

use std::collections::BTreeSet;

use postgres::Psql;
use postgres::database::counts::Counted;
use postgres::programs::pg_restore::{self, Part, Way};
use postgres::programs::session::Session;

use crate::answers::failure::Failure;
use crate::commands::restore::fill::feed::Feed;
use crate::commands::restore::fill::replay::{SessionState, psql_beside, replay, why};
use crate::commands::restore::fill::unfilled::Unfilled;
use crate::commands::restore::indexing::while_indexing;
use crate::commands::restore::job::Job;
use crate::commands::restore::plan::filling::Filling;
use crate::commands::restore::properties;
use crate::commands::restore::reading::Through;
use crate::commands::restore::{counting, failure};

/// Fills the database that `psql` is connected to, and counts what is in it then.
///
/// # Errors
/// When the archive is not what it should be, or a program fails.
pub(crate) fn run(job: &Job, psql: &Psql, filling: &Filling) -> Result<(Through, Vec<Counted>), Unfilled> {
    let (through, counted) = match filling {
        Filling::SideBySide { jobs, folder } => side_by_side::fill(job, psql, *jobs, folder)?,
        Filling::GoingOn { refused } => counted(job, psql, going_on::fill(job, psql, refused.as_deref())?)?,
        Filling::Stream if job.wish.search_path_fix => counted(job, psql, in_parts::fill(job, psql)?)?,
        Filling::Stream => counted(job, psql, stream(job, psql)?)?,
        Filling::Script => return Ok(counted(job, psql, script(job, psql)?)?),
    };
    job.go_on()?;
    if !job.last().is_empty() {
        in_parts::finish_last(job, psql, &spool::path_of(&in_parts::head(job)?))?;
    }
    Ok((through, counted))
}

/// What was filled in, and what is in the database then.
fn counted(job: &Job, psql: &Psql, through: Through) -> Result<(Through, Vec<Counted>), Failure> {
    job.go_on()?;
    let counted = counting::at_the_end(job, psql, &through.walked.census)?;
    Ok((through, counted))
}

/// Makes the archive's definitions in an empty database, without privileges.
///
/// # Errors
/// When a program fails, or the archive's head can't be read.
pub(crate) fn define(job: &Job, psql: &Psql) -> Result<(), Failure> {
    let head = in_parts::head(job)?;
    in_parts::define_all(job, psql, &spool::path_of(&head))
}

fn stream(job: &Job, psql: &Psql) -> Result<Through, Failure> {
    let (choice, _list) = job.choice_before_last(&BTreeSet::new())?;
    let tool = &job.facts.head.pg_restore;
    let mut command = pg_restore::into_database(tool, psql.connection(), &choice, &Part::Everything);
    let (feed, _) = Feed::start(&mut command, &job.interrupt)?;
    feed.read_in_and(job, |feed| while_indexing(job, psql, || feed.end()))
}

fn script(job: &Job, psql: &Psql) -> Result<Through, Failure> {
    let psql = psql_beside(psql, &job.facts.head.pg_restore.path);
    let mut session = Session::start(&psql).map_err(|e| failure::program(&e))?;
    // A psql that has ended says why at the script.
    let _ = session.send(properties::in_session(job).as_bytes());
    match replay(job, &mut session, Way::Filling, &BTreeSet::new()) {
        Ok(through) => session.why().map_err(|e| failure::program(&e)).map(|()| through),
        Err((failure, SessionState::Alive)) => {
            session.abandon();
            Err(failure)
        }
        Err((failure, SessionState::Ended)) => Err(why(session, failure)),
    }
}
