//! `lastgood backup`: dumps databases into their repositories.

pub(crate) mod beside;
pub(crate) mod carry;
mod doors;
mod dry_run;
mod dump;
mod gate;
mod globals;
mod guess;
pub(crate) mod index;
pub(crate) mod lanes;
mod leftovers;
pub(crate) mod links;
mod local;
mod mark;
mod name;
mod nice;
mod outcome;
mod publish;
mod run;
pub(crate) mod seal;
mod shrink;
mod source;

use catalog::manifest::Purpose;

use crate::answers::failure::{Exit, Failure};
use crate::cli::BackupArgs;
use crate::commands::backup::outcome::{BackupOutcome, Outcomes};
use crate::commands::backup::run::Run;
use crate::interrupt::Interrupt;
use crate::lock::Lock;
use crate::settings::{DatabaseSettings, Settings};
use crate::watchers::Watchers;

/// Backs up every database that was chosen. If one fails, the others are still backed up.
///
/// # Errors
/// When no backup could begin; the answer tells what became of each database.
pub(crate) async fn run(args: &BackupArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    if args.dry_run {
        let databases = source::databases(settings, interrupt.stop())?;
        return interrupt.or(dry_run::run(settings, &databases, interrupt.stop())).await;
    }
    let general = Watchers::of_backup(settings, &settings.server(), interrupt);
    let databases = match source::databases(settings, interrupt.stop()) {
        Ok(databases) => databases,
        Err(failure) => {
            general.end(Some(&failure), None).await;
            return Err(failure);
        }
    };
    if settings.databases.is_empty() {
        general.recovered().await;
    }
    nice::step_back(settings);
    let mut outcomes = Outcomes::default();
    for database in &databases {
        let watchers = Watchers::of_backup(settings, database, interrupt);
        let lock = match may_begin(settings, database, interrupt) {
            Ok(lock) => lock,
            Err(failure) => {
                watchers.refused(&failure).await;
                outcomes.add(database, Err(failure));
                continue;
            }
        };
        let outcome = match watchers.begin().await {
            Ok(()) => under_lock(settings, database, Purpose::Backup, interrupt, lock).await,
            Err(failure) => Err(failure),
        };
        let kept = outcome.as_ref().ok().and_then(|outcome| outcome.kept.first());
        watchers.end(outcome::failure_of(&outcome).as_ref(), kept.map(|kept| kept.name.as_str())).await;
        outcomes.add(database, outcome);
    }
    outcomes.answer(settings.report)
}

/// The database's lock, before BACKUP_BEFORE does anything that another run's BACKUP_AFTER would undo. A database that libpq chooses has
/// its name from the server, and its lock once that was asked.
///
/// # Errors
/// Exit 3 when another run holds it; exit 1 when the run was told to stop.
fn may_begin(settings: &Settings, database: &DatabaseSettings, interrupt: &Interrupt) -> Result<Option<Lock>, Failure> {
    if let Some(signal) = interrupt.seen() {
        return Err(lanes::stopped_by(signal));
    }
    let Some(name) = &database.name else { return Ok(None) };
    match Lock::take(&settings.lock_directory, &catalog::encode_database(name)) {
        Err(failure) if failure.exit == Exit::Locked => Err(failure),
        // That it can't be taken is said when the database's mark is there: somebody has to miss its backups.
        taken => Ok(taken.ok()),
    }
}

/// One database's backup, into every repository.
///
/// # Errors
/// When no repository has it. Where one of several failed, the outcome says so.
pub(crate) async fn back_up(
    settings: &Settings,
    database: &DatabaseSettings,
    purpose: Purpose,
    interrupt: &Interrupt,
) -> Result<BackupOutcome, Failure> {
    under_lock(settings, database, purpose, interrupt, None).await
}

async fn under_lock(
    settings: &Settings,
    database: &DatabaseSettings,
    purpose: Purpose,
    interrupt: &Interrupt,
    lock: Option<Lock>,
) -> Result<BackupOutcome, Failure> {
    let run = Run::begin(settings, database, purpose, interrupt, lock).await?;
    leftovers::make_room(&run).await;
    let outcome = run.dump().await.map_err(lanes::under_way)?;
    leftovers::abort_uploads(&run, &outcome).await;
    if outcome.is_whole() {
        local::tidy(&run).await;
    }
    Ok(outcome)
}
