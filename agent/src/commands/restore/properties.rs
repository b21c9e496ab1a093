//! The properties of the database that a restore makes: its settings before its first row, the rest once it is whole.
//!
//! Rows, CHECKs and materialized views mean what they meant under the settings of the database that was dumped (`lc_monetary`,
//! `timezone`, an application's own). So those hold while it is filled; then it gets what the live database has now, or, where
//! there is none or an empty one, what the archive says.

use postgres::PsqlError;
use postgres::database::live::LiveDatabase;
use postgres::database::{properties, scratch};
use postgres::quote::{identifier, literal, setting_name};
use postgres::words::origin;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::job::Job;
use crate::commands::restore::plan::way::Way;

/// Gives the empty database `new` the settings under which the archive's rows were written.
///
/// # Errors
/// Exit 1 when the live database's settings, which stand in for those of an archive without any, cannot be read, or the server can't be
/// asked to set any.
pub(super) fn before_rows(job: &Job, new: &str) -> Result<(), Failure> {
    let of_archive = job.facts.head.definition("DATABASE").map(|_| archived_properties(job, new));
    let statements = match (of_archive, &job.facts.target.living) {
        (None, Some(living)) => of_living(job, living, new)?,
        (of_archive, None) => known(of_archive.unwrap_or_default()),
        (of_archive, Some(living)) => {
            // An empty one's own, where the archive has no other.
            let own = if are_kept(job) { Vec::new() } else { of_living(job, living, new)? };
            own.into_iter().chain(known(of_archive.unwrap_or_default())).collect()
        }
    };
    apply(job, statements.into_iter().filter(|statement| !properties::waits(statement)).collect())
        .map_err(|error| ungiven(new, &error))
}

/// Gives the filled database `new` the settings that the live one has now: under them applications will ask it.
///
/// # Errors
/// Exit 1 when they cannot be read.
pub(super) fn before_checks(job: &Job, new: &str) -> Result<(), Failure> {
    let Some(living) = job.facts.target.living.as_ref().filter(|_| are_kept(job)) else { return Ok(()) };
    // What the role may not set is named when all properties are carried over.
    properties::copy_settings(&job.server.maintenance, living, new).map(drop).map_err(|e| unread(living, &e))
}

fn ungiven(name: &str, error: &PsqlError) -> Failure {
    Failure::new(Exit::Failed, format!("cannot give {name} its privileges and settings: {error}"))
        .hint("see that the server answers and has connections free, and restore again")
}

fn unread(living: &LiveDatabase, error: &PsqlError) -> Failure {
    Failure::new(Exit::Failed, format!("cannot read the settings of {}: {error}", living.name))
}

/// What belongs to the database and not to its content: as the live one has it now, else as the archive says.
///
/// # Errors
/// Exit 1 when the live one's cannot be read.
pub(super) fn carry_over(job: &Job, new: &str) -> Result<(), Failure> {
    let Some(living) = job.facts.target.living.as_ref().filter(|_| are_kept(job)) else {
        return take_over(job, new);
    };
    let refused = properties::copy(&job.server.maintenance, living, new).map_err(|e| unread(living, &e))?;
    refused.iter().for_each(|line| tracing::warn!("{line}"));
    Ok(())
}

/// What the archive says of the database that it was made of, for one that did not exist or was empty. What only the empty one
/// has stays.
fn take_over(job: &Job, name: &str) -> Result<(), Failure> {
    let (database, head) = (identifier(name), &job.facts.head);
    let mut statements = match &job.facts.target.living {
        Some(living) => of_living(job, living, name)?,
        None => Vec::new(),
    };
    // Those that are not written as pg_dump writes them have been named before the rows.
    statements.extend(archived_properties(job, name).into_iter().flatten());
    let has_the_rest = matches!(job.plan.way, Way::Swap { .. });
    statements
        .retain(|statement| !properties::makes_template(statement) && (!has_the_rest || properties::waits(statement)));
    statements.push(format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"));
    statements.extend(known(origin::privileges(head.of_database("ACL").unwrap_or_default(), name)));
    if let Some(comment) = head.of_database("COMMENT").and_then(origin::comment) {
        let comment = if job.wish.is_drill { scratch::marked(&comment) } else { comment };
        statements.push(format!("COMMENT ON DATABASE {database} IS {}", literal(&comment)));
    }
    apply(job, statements).map_err(|error| ungiven(name, &error))
}

/// Last of all, because nobody can drop such a database: it is a template, if the one was whose name it has.
pub(super) fn finish(job: &Job) {
    let name = &job.facts.target.name;
    let is_template = match job.facts.target.living.as_ref().filter(|_| are_kept(job)) {
        Some(living) => living.is_template(),
        None => archived_properties(job, name).iter().flatten().any(|statement| properties::makes_template(statement)),
    };
    if is_template && let Err(error) = apply(job, vec![format!("ALTER DATABASE {} IS_TEMPLATE true", identifier(name))])
    {
        // It has its name and its rows by now.
        tracing::warn!(
            "{name} was a template, and isn't one yet: {error}; in psql: ALTER DATABASE {} IS_TEMPLATE true",
            identifier(name)
        );
    }
}

/// What a session of ours that loads rows sets first: a database that is there keeps its own settings, and the role may not be
/// allowed to give it all of the archive's.
pub(super) fn in_session(job: &Job) -> String {
    properties::in_session(&job.facts.head.settings())
}

/// Whether the live database's properties stay. An archive of single tables says nothing of the database.
pub(super) fn are_kept(job: &Job) -> bool {
    job.facts.target.keeps_properties() || job.facts.head.definition("DATABASE").is_none()
}

fn of_living(job: &Job, living: &LiveDatabase, new: &str) -> Result<Vec<String>, Failure> {
    properties::settings(&job.server.maintenance, living, new).map_err(|e| unread(living, &e))
}

/// Settings, limit and template, as statements about `name`, without those that the role may not give.
fn archived_properties(job: &Job, name: &str) -> Vec<Option<String>> {
    let mut statements = origin::settings(archived(job, "DATABASE PROPERTIES"), name);
    let refused: Vec<String> =
        job.facts.refused_settings.iter().map(|setting| format!(" SET {} TO ", setting_name(setting))).collect();
    let is_refused = |statement: &String| refused.iter().any(|text| statement.contains(text.as_str()));
    statements.retain(|statement| !statement.as_ref().is_some_and(is_refused));
    statements
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

fn apply(job: &Job, statements: Vec<String>) -> Result<(), PsqlError> {
    let refused = properties::apply(&job.server.maintenance, statements)?;
    refused.iter().for_each(|line| tracing::warn!("{line}"));
    Ok(())
}
