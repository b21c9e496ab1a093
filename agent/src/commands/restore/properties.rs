//! The properties of the database that a restore makes: its settings before its first row, the rest once it is whole.
//!
//! Rows, CHECKs and materialized views mean what they meant under the settings of the database that was dumped (`lc_monetary`,
//! `timezone`, an application's own). So those hold while it is filled; then it gets what the live database has now, or, where
//! there is none any more, what the archive says of the lost one.

use postgres::database::properties;
use postgres::quote::{identifier, literal};
use postgres::words::origin;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::job::Job;

/// Gives the empty database `new` the settings under which the archive's rows were written.
///
/// # Errors
/// Exit 1 when the live database's settings, which stand in for those of an archive without any, cannot be read.
pub(super) fn before_rows(job: &Job, new: &str) -> Result<(), Failure> {
    let statements = match (job.facts.head.definition("DATABASE"), &job.facts.target.living) {
        (None, Some(living)) => properties::settings(&job.server.maintenance, living, new)
            .map_err(|e| Failure::new(Exit::Failed, format!("cannot read the settings of {}: {e}", living.name)))?,
        _ => known(origin::settings(archived(job, "DATABASE PROPERTIES"), new)),
    };
    apply(job, statements.into_iter().filter(|statement| !properties::waits(statement)).collect());
    Ok(())
}

/// What belongs to the database and not to its content, as the live one has it now.
///
/// # Errors
/// Exit 1 when it cannot be read.
pub(super) fn carry_over(job: &Job, new: &str) -> Result<(), Failure> {
    let Some(living) = &job.facts.target.living else { return Ok(()) };
    let refused = properties::copy(&job.server.maintenance, living, new)
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot read the settings of {}: {e}", living.name)))?;
    refused.iter().for_each(|line| tracing::warn!("{line}"));
    Ok(())
}

/// What the archive says of the database that it was made of, for one that did not exist. A copy under another name is open to
/// everybody, as a new database is, and belongs to whoever made it.
pub(super) fn take_over(job: &Job) {
    if job.facts.target.living.is_some() {
        return;
    }
    let (name, head) = (&job.facts.target.name, &job.facts.head);
    if head.header.database != *name {
        apply(job, known(origin::privileges("", name)));
        return;
    }
    let mut statements = known(origin::privileges(head.of_database("ACL").unwrap_or_default(), name));
    if let Some(comment) = head.of_database("COMMENT").and_then(origin::comment) {
        statements.push(format!("COMMENT ON DATABASE {} IS {}", identifier(name), literal(&comment)));
    }
    // Those that were left out have been named before the rows.
    let settings = origin::settings(archived(job, "DATABASE PROPERTIES"), name).into_iter().flatten();
    statements.extend(settings.filter(|statement| properties::waits(statement)));
    // Last: whoever gives a database away may not change it any more.
    if let Some(owner) = head.database_owner().filter(|owner| **owner != job.facts.target.role.name) {
        statements.push(format!("ALTER DATABASE {} OWNER TO {}", identifier(name), identifier(owner)));
    }
    apply(job, statements);
}

fn archived<'a>(job: &'a Job, kind: &str) -> &'a str {
    job.facts.head.definition(kind).unwrap_or_default()
}

/// The statements that pg_dump could have written. The others are named and left out.
fn known(statements: Vec<Option<String>>) -> Vec<String> {
    let name_unknown = |statement: &Option<String>| {
        if statement.is_none() {
            tracing::warn!("a property of the database was left out: it is not written as pg_dump writes one");
        }
    };
    statements.into_iter().inspect(name_unknown).flatten().collect()
}

fn apply(job: &Job, statements: Vec<String>) {
    properties::apply(&job.server.maintenance, statements).iter().for_each(|line| tracing::warn!("{line}"));
}
