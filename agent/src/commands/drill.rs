//! `lastgood drill`: a backup is restored into a scratch database, dumped again and compared with what it was made of; then all of it goes.
//!
//! choose → ground (which server) → room → restore → checks → dump again → compare → record → answer. Whatever happens, what was made is
//! dropped.

mod adjustment;
mod answer;
mod both;
mod clock;
mod columns;
pub(crate) mod compare;
mod database;
pub(crate) mod dump;
mod failure;
pub(crate) mod finding;
pub(crate) mod ground;
mod original;
mod partitions;
mod record;
mod rehearsal;
mod rewritten;
mod roles;
pub(crate) mod room;
mod run;
mod uncompared;

use catalog::{BackupId, going_back};
use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::cli::{DrillArgs, RestoreArgs};
use crate::commands::drill::answer::{Drilled, Outcomes, Proof};
use crate::commands::drill::failure::stopped_by;
use crate::commands::drill::ground::Wanted;
use crate::commands::drill::run::{Run, Worked};
use crate::commands::restore::choose;
use crate::commands::restore::damage::Suspect;
use crate::commands::restore::thaw::{self, Brought};
use crate::interrupt::Interrupt;
use crate::lock::Lock;
use crate::settings::{DatabaseSettings, Settings};
use crate::watchers::Watchers;

/// Drills every database that was chosen. If one fails, the others are still drilled.
///
/// # Errors
/// When no drill could begin; the answer tells what became of each database.
pub(crate) async fn run(args: &DrillArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let general = Watchers::of_drill(settings, &settings.server(), interrupt);
    let databases = match interrupt.or(databases(args, settings)).await {
        Ok(databases) => databases,
        Err(failure) => {
            if !args.dry_run && interrupt.seen().is_none() {
                general.end(Some(&failure), None).await;
            }
            return Err(failure);
        }
    };
    if settings.databases.is_empty() && !args.dry_run {
        general.recovered().await;
    }
    let mut outcomes = Outcomes::default();
    for database in &databases {
        let watchers = Watchers::of_drill(settings, database, interrupt);
        let drilled = match interrupt.seen() {
            Some(signal) => Err(stopped_by(signal)),
            None if args.dry_run => drill(args, settings, database, interrupt).await,
            None => {
                let drilled = match watchers.begin().await {
                    Ok(()) => drill(args, settings, database, interrupt).await,
                    Err(failure) => Err(failure),
                };
                watchers.end(answer::failure_of(&drilled).as_ref(), None).await;
                drilled
            }
        };
        outcomes.add(database, drilled);
    }
    outcomes.answer(settings.report)
}

/// One database's drill, with what became of it written down beside the backup.
async fn drill(
    args: &DrillArgs,
    settings: &Settings,
    database: &DatabaseSettings,
    interrupt: &Interrupt,
) -> Result<Drilled, Failure> {
    let (name, wanted) = (name(database)?, Wanted::of(args, settings, database)?);
    let _lock = Lock::for_drill(&settings.lock_directory, &catalog::encode_database(&name))?;
    let started = Timestamp::now();
    let which = wanted_backup(args);
    let (backup, stored) = interrupt.or(choose::choose(&which, settings, &name, started)).await?;
    let stored = match thaw::bring_back(&which, &backup, stored, interrupt).await? {
        Brought::Ready(stored) => stored,
        Brought::NotYet(plan) => return Err(plan.not_yet()),
    };
    let suspect = Suspect::new(&backup, &stored, interrupt);
    let run = Run::new(args, settings, wanted, interrupt, (&backup, &stored))?;
    let working = tokio::task::spawn_blocking(move || run.work());
    let worked =
        working.await.map_err(|e| Failure::new(Exit::Failed, format!("the drill's own thread failed: {e}")))?;
    let (report, worked) = match worked {
        Worked::Rehearsed(rehearsal) => return Ok(Drilled::Rehearsed(rehearsal)),
        Worked::Drilled(report, worked) => (report, worked),
    };
    if let Some(signal) = interrupt.seen() {
        return Err(stopped_by(signal));
    }
    let worked = match worked {
        Err(failure) if failure.exit == Exit::Damaged => Err(suspect.read_again(failure, settings).await),
        worked => worked,
    };
    if args.dry_run {
        return Err(worked.err().unwrap_or_else(|| stopped_by("itself")));
    }
    let place = report.place().to_owned();
    let (drill, remarks, failure) = report.drill((&name, &backup, started), worked);
    record::store(&stored, &drill).await;
    Ok(Drilled::Done(Box::new(Proof { drill, remarks, failure, place })))
}

/// As a restore names it.
fn wanted_backup(args: &DrillArgs) -> RestoreArgs {
    RestoreArgs {
        id: args.id.clone(),
        repository: args.repository.clone(),
        dry_run: args.dry_run,
        confirm: args.confirm,
        retrieval: args.retrieval,
        wait: args.wait,
        resume: args.resume,
        ..RestoreArgs::default()
    }
}

/// What the database is called whose backups are drilled.
fn name(database: &DatabaseSettings) -> Result<String, Failure> {
    let known = database.name.as_deref().or_else(|| database.connection.database());
    known.map(str::to_owned).ok_or_else(|| {
        Failure::new(Exit::Usage, "the settings name no database").hint("name it with --database NAME, or set DB_NAME")
    })
}

/// The databases that are drilled: the one of the backup that was named; all that have backups; those of the settings.
async fn databases(args: &DrillArgs, settings: &Settings) -> Result<Vec<DatabaseSettings>, Failure> {
    let from = args.id.as_deref().map(|id| going_back(id).0);
    if let Some(id) = from.and_then(|id| id.parse::<BackupId>().ok()) {
        return Ok(vec![settings.database(&id.stem.database())]);
    }
    if from.is_some_and(|id| id != "latest") && settings.databases.len() != 1 {
        return Err(Failure::new(
            Exit::Usage,
            "more than one database is configured, and a label alone names a backup of one",
        )
        .hint("name it with --database NAME, or give the backup's whole name"));
    }
    if !settings.all_databases {
        return Ok(settings.databases.clone());
    }
    let wanted = RestoreArgs { repository: args.repository.clone(), ..RestoreArgs::default() };
    let mut names = std::collections::BTreeSet::new();
    for repository in choose::repositories(&wanted, settings).await? {
        names.extend(repository.catalogs().await?.into_iter().filter(|c| !c.entries.is_empty()).map(|c| c.database));
    }
    if names.is_empty() {
        return Err(
            Failure::new(Exit::NotFound, "there are no backups yet").hint("make the first one with lastgood backup")
        );
    }
    Ok(names.iter().map(|name| settings.database(name)).collect())
}
