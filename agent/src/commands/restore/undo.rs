//! `lastgood restore --undo`: the database that a restore put aside gets its name back, and the restored one is kept in its place.
//!
//! One transaction exchanges the names, as a restore's does. The old database comes back as it was: with its own settings, privileges
//! and limit. What was changed since the restore is named before the question, and nobody's guess carries it over: who was kept out of
//! the restored database should get into the old one, and who left the firm in between should not.

mod choose;
mod shown;

use catalog::words;
use jiff::Timestamp;
use postgres::Error;
use postgres::database::exchange::exchange;
use postgres::database::live::LiveDatabase;
use postgres::database::names;

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::commands::restore::clients::Clients;
use crate::commands::restore::server::{Connected, Server};
use crate::commands::restore::undo::choose::choose;
use crate::commands::restore::undo::shown::{Done, Plan, UndoDocument, warnings};
use crate::commands::restore::wish::Wish;
use crate::interrupt::Interrupt;
use crate::lock::Lock;
use crate::settings::{DatabaseSettings, Settings};

/// Undoes the newest restore of the target, or brings back the old database that was `asked` for.
///
/// # Errors
/// Both databases have their names of before then, unless the error says that this is unknown. Exit 5 when there is no old database; exit 3
/// when a restore of this database is under way.
pub(crate) fn run(
    asked: Option<&str>,
    wish: &Wish,
    settings: &Settings,
    database: &DatabaseSettings,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let stopped_or = |failure| stopped_or(interrupt, failure);
    let connected = Server::connect(settings, database, None, interrupt.stop()).map_err(stopped_or)?;
    let _lock = Lock::for_restore(&settings.lock_directory, &catalog::encode_database(&connected.name))?;
    let server = &connected.server;
    let mut plan = decide(asked, wish, &connected).map_err(stopped_or)?;
    let report = settings.report;
    if wish.dry_run {
        report.answer(&UndoDocument::of(&plan, false), &format!("{plan}nothing was changed (--dry-run)"))?;
        return Ok(Exit::Done);
    }
    let question = format!("Give the name {} back to {}?", plan.name, plan.old.name);
    prompt::ask(&plan, &question, wish.confirm, interrupt).map_err(stopped_or)?;
    let stopped = Clients::of(wish).stop(interrupt).map_err(stopped_or)?;
    if !give_back(server, &plan, interrupt)? {
        plan.aside = None;
    }
    let started = stopped.start();
    report.answer(&UndoDocument::of(&plan, true), &Done(&plan))?;
    Ok(started.err().map_or(Exit::Done, |failure| {
        report.say(&failure);
        failure.exit
    }))
}

fn decide(asked: Option<&str>, wish: &Wish, connected: &Connected) -> Result<Plan, Failure> {
    let Connected { server, name, .. } = connected;
    let (old, others) = choose(&server.maintenance, name, asked)?;
    let living = LiveDatabase::ask(&server.maintenance, name)?;
    refuse(connected, living.as_ref(), &old)?;
    let moment = server.free_moment(name, Timestamp::now())?;
    Ok(Plan {
        warnings: warnings(&server.maintenance, living.as_ref(), &old, name)?,
        aside: living.as_ref().map(|_| names::before(name, moment)),
        name: name.clone(),
        place: server.psql.connection().place(),
        size: living.and_then(|living| living.size),
        age: names::put_aside(name, &old.name).map(|at| words::age(Timestamp::now().duration_since(at))),
        stops: wish.stop_command.clone(),
        old,
        others,
    })
}

/// What would make the exchange fail, found before anything is stopped.
fn refuse(connected: &Connected, living: Option<&LiveDatabase>, old: &LiveDatabase) -> Result<(), Failure> {
    let Connected { role, name, .. } = connected;
    let refused = |error: String, hint: &str| Err(Failure::new(Exit::Failed, error).hint(hint));
    if connected.only_here {
        let error = format!("the role {} may connect to no other database, from which to rename {name}", role.name);
        return refused(error, "undo as a role that may connect to the database postgres");
    }
    if !role.creates_databases {
        let error = format!("the role {} may not rename a database, which takes CREATEDB", role.name);
        return refused(error, "undo as the databases' owner with CREATEDB, or as a superuser");
    }
    for database in living.into_iter().chain([old]) {
        if !role.superuser && !database.is_ours {
            let (name, owner) = (&database.name, &database.owner);
            let error = format!("the role {} may not rename {name}, which belongs to {owner}", role.name);
            return refused(error, "undo as a role that owns both databases, or as a superuser");
        }
        if let Some(first) = database.prepared_transactions.first() {
            let error = format!("a prepared transaction ({first}) holds database {}", database.name);
            return refused(error, "end it first, in that database: COMMIT PREPARED or ROLLBACK PREPARED");
        }
    }
    if old.is_half_dropped() {
        let error = format!("a DROP DATABASE of {} was interrupted, and nobody can use it any more", old.name);
        return refused(error, "restore a backup instead: lastgood list");
    }
    Ok(())
}

/// The exchange. True when a database had the name, which was put aside.
fn give_back(server: &Server, plan: &Plan, interrupt: &Interrupt) -> Result<bool, Failure> {
    if interrupt.seen().is_some() {
        return Err(stopped_or(interrupt, Failure::new(Exit::Failed, "the undo was stopped")));
    }
    exchange(&server.maintenance, &plan.name, &plan.old.name, plan.aside.as_deref()).map_err(|error| match error {
        Error::NewDatabaseGone { .. } => {
            Failure::new(Exit::NotFound, format!("the old database {} was dropped or renamed just now", plan.old.name))
                .hint("both databases are as they were left; see what there is: psql -l")
        }
        // Whether the names were exchanged is more than that a signal came.
        error @ Error::ExchangeUnknown { .. } => error.into(),
        error => stopped_or(interrupt, error.into()),
    })
}

/// Why a step failed: Ctrl-C at a terminal reaches the programs that it asks as well.
fn stopped_or(interrupt: &Interrupt, failure: Failure) -> Failure {
    interrupt.seen().map_or(failure, |signal| {
        Failure::new(Exit::Failed, format!("the undo was stopped by {signal}"))
            .hint("both databases have their names of before; start it again")
    })
}
