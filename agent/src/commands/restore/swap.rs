//! By swap: a new database beside the live one, which takes its name when everything in it has been checked.
//!
//! create → settings → fill → check → analyze → properties → stop services → exchange → start services. Whatever happens before the
//! exchange, the live database isn't touched; the exchange is one transaction.

use jiff::SignedDuration;
use postgres::Psql;
use postgres::database::exchange::exchange;
use postgres::database::{locales, names, scratch, statistics};
use postgres::quote::identifier;
use postgres::server;
use postgres::words::origin;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::answer::Restored;
use crate::commands::restore::checks;
use crate::commands::restore::clients::Clients;
use crate::commands::restore::fill;
use crate::commands::restore::fill::unfilled::Unfilled;
use crate::commands::restore::job::Job;
use crate::commands::restore::plan::filling::Filling;
use crate::commands::restore::plan::tablespaces;
use crate::commands::restore::properties;
use crate::commands::restore::reading::Through;
use crate::commands::restore::timeline;

/// A database that is being filled. Dropped with the value unless it was kept.
pub(crate) struct New<'a> {
    maintenance: &'a Psql,
    pub(crate) name: String,
    kept: bool,
    /// Who drops it where this one can't.
    left_to: &'static str,
}

/// How many seconds are tried whose names another restore takes at the same time.
const TRIES: usize = 5;

/// Restores into the database `new`, which then takes the target's name; the one that has it now gets the name `old`.
///
/// # Errors
/// The live database is untouched and the new one gone then.
pub(crate) fn run(job: &Job, new: &str, old: Option<&str>) -> Result<Restored, Failure> {
    // The archive's first bytes come while the database is made.
    let created = std::thread::scope(|scope| {
        let creating = scope.spawn(|| create_free(job, new, old));
        job.archive.open_ahead();
        let panicked = |_| Err(Failure::new(Exit::Failed, "a part of the restore panicked"));
        creating.join().unwrap_or_else(panicked)
    });
    let (new, old) = created.map_err(|failure| job.interrupted_or(failure))?;
    timeline::reached("the new database is there");
    let (mut new, through) = filled(job, new)?;
    job.go_on()?;
    let stopped = Clients::of(&job.wish).stop(&job.interrupt)?;
    job.go_on()?;
    let had_one = take_name(job, &new.name, old.as_deref())?;
    new.kept = true;
    properties::finish(job);
    Ok(Restored { old_database: old.filter(|_| had_one), ..Restored::new(through, stopped.start()) })
}

/// Fills a new database, or another one in its place where what came side by side was refused.
///
/// # Errors
/// When it can't be filled; it is gone then.
pub(crate) fn filled<'a>(job: &'a Job, mut new: New<'a>) -> Result<(New<'a>, Through), Failure> {
    let through = match prepare(job, &new.name, &job.plan.filling) {
        Err(Unfilled::Refused(failure)) if job.interrupt.seen().is_none() => {
            let again = job.plan.filling.after_refusal(&failure.error);
            let (what, how) = match again {
                Filling::GoingOn { .. } => ("rows were refused", "with CHECK constraints after the rows"),
                _ => ("what was restored side by side was refused", "in the archive's order, without jobs"),
            };
            tracing::warn!("{what}: {}; filling a new database {how}", failure.error);
            let name = new.name.clone();
            drop(new);
            new = create(job, &name).map_err(|failure| job.interrupted_or(failure))?;
            prepare(job, &name, &again)
        }
        prepared => prepared,
    };
    let through = through.map_err(|unfilled| job.interrupted_or(unfilled.into()))?;
    Ok((new, through))
}

/// A new database with the definitions alone, made of the same archive in the same way.
///
/// # Errors
/// When the server refuses; it is gone then.
pub(crate) fn defined<'a>(job: &'a Job, name: &str) -> Result<New<'a>, Failure> {
    let new = create(job, name)?;
    properties::before_rows(job, name)?;
    fill::define(job, &job.server.psql.to(name))?;
    Ok(new)
}

/// True when another database had the name, which is now called `old`.
fn take_name(job: &Job, new: &str, old: Option<&str>) -> Result<bool, Failure> {
    let name = &job.facts.target.name;
    if name == new {
        return Ok(false);
    }
    tracing::info!("exchanging the names: {new} becomes {name}");
    exchange(&job.server.maintenance, name, new, old).map_err(|error| match error {
        // Whether the names were exchanged is more than that a signal came.
        postgres::Error::ExchangeUnknown { .. } => error.into(),
        error => job.interrupted_or(error.into()),
    })
}

/// Everything before the live database is touched.
fn prepare(job: &Job, new: &str, filling: &Filling) -> Result<Through, Unfilled> {
    let psql = job.server.psql.to(new);
    properties::before_rows(job, new)?;
    let (through, counted) = fill::run(job, &psql, filling)?;
    job.go_on()?;
    job.check_counts(&through.walked.census, &counted, true)?;
    // Nobody queries a drill's, and of foreign tables ANALYZE asks their own servers.
    if !job.wish.is_drill {
        statistics::gather(&psql, job.sessions());
    }
    check(job, new)?;
    properties::carry_over(job, new)?;
    Ok(through)
}

/// The user's own checks, under the settings that the database will have. Its limit of connections may let nobody in, and comes later.
fn check(job: &Job, new: &str) -> Result<(), Failure> {
    if job.wish.checks.is_empty() {
        return Ok(());
    }
    properties::before_checks(job, new)?;
    let checks = checks::run(&job.server.psql.to(new), &job.wish.checks)?;
    job.go_on()?;
    checks::refuse_failed(&checks)
}

/// Creates the new database, under the name of a later second where another restore has just taken this one: what that one
/// had not committed could not be seen before. With the new database comes the name that the old one gets.
fn create_free<'a>(job: &'a Job, new: &str, old: Option<&str>) -> Result<(New<'a>, Option<String>), Failure> {
    let (name, mut moment) = (&job.facts.target.name, job.facts.moment);
    let (mut new, mut old) = (new.to_owned(), old.map(str::to_owned));
    for _ in 0..TRIES {
        match create(job, &new) {
            Err(failure) if new != *name && is_taken(job, &new) => tracing::debug!("{failure}"),
            created => return created.map(|created| (created, old)),
        }
        moment = job.server.free_moment(name, moment + SignedDuration::from_secs(1))?;
        new = names::restoring(name, moment);
        old = old.map(|_| names::before(name, moment));
    }
    create(job, &new).map(|created| (created, old))
}

fn is_taken(job: &Job, new: &str) -> bool {
    server::exists(&job.server.maintenance.unstopped(), new).unwrap_or(false)
}

/// From template0, which nothing local has been added to. Nobody but its owner may connect before it is whole.
///
/// # Errors
/// Exit 1 when the server refuses.
pub(crate) fn create<'a>(job: &'a Job, name: &str) -> Result<New<'a>, Failure> {
    let maintenance = &job.server.maintenance;
    let options = match &job.facts.target.living {
        Some(living) => living.creation_options(),
        None => creation_options(job),
    };
    tracing::info!("restoring into the new database {name}");
    // As its owner's from the beginning: then schema public is the owner's too, and so is all that is made in it.
    let owner = identifier(&job.facts.database_owner);
    let birth = scratch::Birth::new();
    let (option, further) =
        if job.wish.is_drill { (scratch::option(), scratch::mark(name)) } else { (birth.option(), String::new()) };
    let create =
        format!("CREATE DATABASE {} OWNER {owner} TEMPLATE template0 {options}{option};\n{further}", identifier(name));
    let failed = |e: String| Failure::new(Exit::Failed, format!("cannot create the new database {name}: {e}"));
    // The server would go on creating it. One session for both: a database that can't be closed is dropped again.
    let session = maintenance.unstopped().kept();
    session.statement(&create).map_err(|e| {
        // The server may have made it, or be making it: nothing is left of that, if it can be had.
        if !job.wish.is_drill && !matches!(e, postgres::PsqlError::Refused(_)) {
            take_back(maintenance, name, &birth);
        }
        failed(e.to_string()).hint(match &job.facts.target.living {
            Some(_) => "--in-place restores without a second database",
            None => "--locale C creates it with a locale that every server has; or create it empty by hand: the restore keeps its character set and locale",
        })
    })?;
    let left_to = if job.wish.is_drill { "the next lastgood drill" } else { "lastgood restore --drop-old" };
    let new = New { maintenance, name: name.to_owned(), kept: false, left_to };
    let unmark = if job.wish.is_drill { String::new() } else { birth.unmark(name) };
    let revoke = format!("REVOKE ALL ON DATABASE {} FROM PUBLIC;\n{unmark}", identifier(name));
    session.statement(&revoke).map_err(|e| failed(e.to_string()))?;
    Ok(new)
}

/// Drops the database whose creation was asked for, and not answered, if it is that one.
fn take_back(maintenance: &Psql, name: &str, birth: &scratch::Birth) {
    match birth.take_back(maintenance, name) {
        Ok(true) => tracing::info!("dropped {name}, which the server had made all the same"),
        Ok(false) => {}
        Err(error) => tracing::error!(
            "the server may have made the new database {name} ({error}); if it is there, drop it with: lastgood restore --drop-old"
        ),
    }
}

/// Of a database as the archive says.
fn creation_options(job: &Job) -> String {
    let (facts, definition) = (&job.facts, job.facts.head.definition("DATABASE").unwrap_or_default());
    let tablespace = tablespaces::of_database(&job.wish, facts);
    let tablespace = tablespace.map_or(String::new(), |name| format!(" TABLESPACE {}", identifier(&name)));
    let options = match &facts.locale.chosen {
        Some(locale) => locales::creation_options(locale, facts.head.encoding(), facts.target.role.version_number()),
        None => origin::creation_options(definition),
    };
    options + &tablespace
}

impl Drop for New<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // pg_restore's session may take a moment to end after it was killed.
        if let Err(error) = scratch::remove(self.maintenance, &self.name) {
            tracing::error!("cannot drop the new database {} ({error}); drop it with: {}", self.name, self.left_to);
        }
    }
}
