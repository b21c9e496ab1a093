//! By swap: a new database beside the living one, which takes its name when everything in it has been checked.
//!
//! create → fill → check → analyze → properties → stop services → exchange → start services. Whatever happens before the
//! exchange, the living database isn't touched; the exchange is one transaction.

use postgres::database::counts::Counted;
use postgres::database::exchange::exchange;
use postgres::database::live::Role;
use postgres::database::{names, properties, statistics};
use postgres::programs::pg_restore::{self, Part, Way};
use postgres::programs::session::Session;
use postgres::quote::identifier;
use postgres::words::origin;
use postgres::{Psql, Version};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;
use crate::commands::restore::job::{Feed, Job, Restored, program_failure};
use crate::commands::restore::reading::Through;
use crate::commands::restore::replay::{SessionState, psql_beside, replay, why};
use crate::commands::restore::side_by_side;
use crate::commands::restore::spool::Spool;

/// A database that is being filled. Dropped with the value unless it was kept.
struct New<'a> {
    maintenance: &'a Psql,
    name: String,
    kept: bool,
}

/// Restores by swap.
///
/// # Errors
/// The living database is untouched and the new one gone then.
pub(crate) fn run(job: &Job) -> Result<Restored, Failure> {
    let mut new = create(job).map_err(|failure| job.interrupted_or(failure))?;
    let through = prepare(job, &new.name).map_err(|failure| job.interrupted_or(failure))?;
    job.go_on()?;
    let stopped = job.clients.stop(&job.interrupt)?;
    job.go_on()?;
    exchange(&job.target.maintenance, &job.target.name, &new.name, job.plan.old_name.as_deref())
        .map_err(|error| job.interrupted_or(error.into()))?;
    new.kept = true;
    take_over_properties(job);
    Ok(Restored { census: through.walked.census, dumped: through.dumped, clients: stopped.start().err() })
}

/// Everything before the living database is touched.
fn prepare(job: &Job, new: &str) -> Result<Through, Failure> {
    let psql = job.target.psql.to(new);
    let (through, counted) = fill(job, &psql)?;
    job.go_on()?;
    job.check_counts(&through.walked.census, &counted, true)?;
    statistics::gather(&psql, job.width());
    carry_over(job, new)?;
    Ok(through)
}

/// From template0, which nothing local has been added to. Nobody but its owner may connect before it is whole.
fn create(job: &Job) -> Result<New<'_>, Failure> {
    let target = &job.target;
    let name = names::restoring(&target.name, job.started);
    let options = match &target.living {
        Some(living) => format!("{} OWNER {}", living.creation_options(), identifier(&living.owner)),
        None => origin::creation_options(job.head.definition("DATABASE").unwrap_or_default()),
    };
    tracing::info!("restoring into the new database {name}");
    let create = format!("CREATE DATABASE {} TEMPLATE template0 {options};\n", identifier(&name));
    let failed = |e: String| Failure::new(Exit::Failed, format!("the new database {name} can't be created: {e}"));
    // The server would go on creating it.
    target
        .maintenance
        .unstopped()
        .script(&create)
        .map_err(|e| failed(e.to_string()).hint("--in-place restores without a second database"))?;
    let new = New { maintenance: &target.maintenance, name: name.clone(), kept: false };
    let revoke = format!("REVOKE ALL ON DATABASE {} FROM PUBLIC;\n", identifier(&name));
    target.maintenance.script(&revoke).map_err(|e| failed(e.to_string()))?;
    Ok(new)
}

/// From 17 on pg_restore sets transaction_timeout on any server, and an older one refuses it.
pub(crate) fn needs_script(head: &Head, role: &Role) -> bool {
    head.pg_restore.version >= Version::from_number(170_000) && !role.knows_transaction_timeout()
}

/// Fills the new database, and counts what is in it then.
fn fill(job: &Job, psql: &Psql) -> Result<(Through, Vec<Counted>), Failure> {
    let through = if needs_script(&job.head, &job.target.role) {
        fill_by_script(job, psql)?
    } else {
        match Spool::that_pays(&job.head, job.chosen.manifest.as_ref(), job.jobs).filter(|_| job.tables.is_empty()) {
            Some(spool) => return side_by_side::fill(job, psql, &spool),
            None => fill_as_it_comes(job, psql)?,
        }
    };
    job.go_on()?;
    Ok((through, job.count(psql)?))
}

fn fill_as_it_comes(job: &Job, psql: &Psql) -> Result<Through, Failure> {
    let (choice, _list) = job.choice()?;
    let mut command = pg_restore::into_database(&job.head.pg_restore, psql.connection(), &choice, &Part::Everything);
    let (feed, _) = Feed::start(&mut command, &job.interrupt)?;
    feed.read_in(job)
}

fn fill_by_script(job: &Job, psql: &Psql) -> Result<Through, Failure> {
    let psql = psql_beside(psql, &job.head.pg_restore.path);
    let mut session = Session::start(&psql).map_err(|e| program_failure(&e))?;
    match replay(job, &mut session, Way::Filling) {
        Ok(through) => session.why().map_err(|e| program_failure(&e)).map(|()| through),
        Err((failure, SessionState::Alive)) => {
            session.abandon();
            Err(failure)
        }
        Err((failure, SessionState::Ended)) => Err(why(session, failure)),
    }
}

/// What belongs to the database and not to its content, as the living one has it now.
fn carry_over(job: &Job, new: &str) -> Result<(), Failure> {
    let Some(living) = &job.target.living else { return Ok(()) };
    let refused = properties::copy(&job.target.maintenance, living, new)
        .map_err(|e| Failure::new(Exit::Failed, format!("the settings of {} can't be read: {e}", living.name)))?;
    refused.iter().for_each(|line| tracing::warn!("{line}"));
    Ok(())
}

/// A database that didn't exist gets what the archive says of the one it was made of, where the names are the same.
fn take_over_properties(job: &Job) {
    if job.target.living.is_some() {
        return;
    }
    let name = &job.target.name;
    let mut statements = vec![format!("GRANT CONNECT, TEMPORARY ON DATABASE {} TO PUBLIC", identifier(name))];
    if job.head.header.database == *name {
        for setting in origin::settings(job.head.definition("DATABASE PROPERTIES").unwrap_or_default(), name) {
            match setting {
                Some(statement) => statements.push(statement),
                None => tracing::warn!("not taken over: a setting of the database that isn't one as pg_dump writes it"),
            }
        }
    }
    properties::apply(&job.target.maintenance, statements).iter().for_each(|line| tracing::warn!("{line}"));
}

impl Drop for New<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let name = identifier(&self.name);
        // pg_restore's session may take a moment to end after it was killed.
        for _ in 0..20 {
            let maintenance = self.maintenance.unstopped();
            let _ = postgres::database::exchange::end_connections(&maintenance, &[&self.name]);
            match maintenance.script(&format!("DROP DATABASE IF EXISTS {name};\n")) {
                Ok(_) => return,
                Err(error) => tracing::debug!("{error}"),
            }
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
        tracing::error!("the new database {} could not be dropped: lastgood restore --drop-old does it", self.name);
    }
}
