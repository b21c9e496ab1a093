//! `lastgood backup`: dumps databases into their repositories.

mod carry;
mod dry_run;
mod lanes;
mod leftovers;
mod local;
mod name;
mod outcome;
mod publish;
mod source;

use std::time::Instant;

use archive::FrameSettings;
use catalog::Stem;
use catalog::manifest::Purpose;
use jiff::Timestamp;
use repository::{Repository, UploadMetadata};

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::cli::BackupArgs;
use crate::commands::backup::carry::{Carried, CarryError, carry};
use crate::commands::backup::lanes::{Completed, Lane, Lanes};
use crate::commands::backup::outcome::{Outcome, Outcomes};
use crate::commands::backup::source::Source;
use crate::interrupt::Interrupt;
use crate::lock::Lock;
use crate::ping::Ping;
use crate::read_back::Reader;
use crate::settings::{DatabaseSettings, Settings};

/// How often a dump is taken when the store answers its completion with a conflict (409).
const TRIES: usize = 2;

/// Backs up every database that was chosen. One that fails doesn't keep the others from theirs.
///
/// # Errors
/// When nothing could begin; what became of each database is in the answer.
pub(crate) async fn run(args: &BackupArgs, settings: &Settings) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    if args.dry_run {
        return dry_run::run(settings, &source::databases(settings)?).await;
    }
    let databases = match source::databases(settings) {
        Ok(databases) => databases,
        Err(failure) => {
            ping(&settings.server()).failure(&failure).await;
            return Err(failure);
        }
    };
    let mut outcomes = Outcomes::default();
    for database in &databases {
        let ping = ping(database);
        let outcome = match interrupt.seen() {
            Some(signal) => Err(lanes::stopped_by(signal)),
            None => {
                ping.start().await;
                back_up(settings, database, Purpose::Backup, &interrupt).await
            }
        };
        match outcome::failure_of(&outcome) {
            None => ping.success().await,
            Some(failure) => ping.failure(&failure).await,
        }
        outcomes.add(database, outcome);
    }
    outcomes.answer(settings.report)
}

fn ping(database: &DatabaseSettings) -> Ping {
    Ping::new(database.healthcheck.as_ref(), database.healthcheck_fail.as_ref())
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
) -> Result<Outcome, Failure> {
    let reader = Reader::new(settings)?;
    reader.refuse_foreign(&settings.recipients)?;
    let source = Source::open(settings, database)?;
    let _lock = Lock::take(&settings.lock_directory, &catalog::encode_database(&source.server.database))?;
    let repositories = open(settings).await?;
    let (started, clock) = (Timestamp::now(), Instant::now());
    let stem = name::choose(settings, &source, purpose, started)?;
    name::refuse_taken(&repositories, &stem, started).await?;
    leftovers::make_room(&repositories, &source.server.database, started).await;
    let (carried, lanes) = dump(settings, &source, &repositories, &stem, started, interrupt).await?;
    let backup = publish::Published { source: &source, purpose, stem, started, clock, carried, settings, reader };
    let outcome = backup.publish(lanes).await?;
    leftovers::abort_uploads(&outcome, &repositories, &source.server.database, started).await;
    if outcome.is_whole() {
        local::tidy(database, &repositories, &source.server.database).await;
    }
    Ok(outcome)
}

/// The repositories of a run, the directory first.
///
/// # Errors
/// When one can't even be named or connected to.
pub(crate) async fn open(settings: &Settings) -> Result<Vec<Repository>, Failure> {
    let mut repositories = Vec::new();
    if let Some(folder) = &settings.directory {
        repositories.push(Repository::directory(folder));
    }
    if let Some(bucket) = &settings.bucket {
        repositories.push(Repository::bucket(bucket.clone()).await?);
    }
    Ok(repositories)
}

/// Dumps into all repositories at once, and makes the archive visible in each that took it whole.
async fn dump(
    settings: &Settings,
    source: &Source,
    repositories: &[Repository],
    stem: &Stem,
    started: Timestamp,
    interrupt: &Interrupt,
) -> Result<(Carried, Vec<Lane>), Failure> {
    for left in (0..TRIES).rev() {
        let lanes = open_lanes(settings, source, repositories, stem, started, interrupt).await?;
        let (carried, lanes) = carry_into(settings, source, lanes, interrupt).await?;
        match lanes.complete(&carried.digest, left > 0).await {
            Completed::Done(lanes) => return Ok((carried, lanes)),
            Completed::Again => tracing::warn!("the store found another write in the way (409); dumping once again"),
        }
    }
    Err(Failure::new(Exit::Failed, "the dump was never completed"))
}

async fn open_lanes(
    settings: &Settings,
    source: &Source,
    repositories: &[Repository],
    stem: &Stem,
    started: Timestamp,
    interrupt: &Interrupt,
) -> Result<Lanes, Failure> {
    let places = repositories.iter().map(|r| (r.clone(), r.layout().place(stem.clone(), started))).collect();
    let metadata = UploadMetadata {
        lastgood_id: format!("{:032x}", rand::random::<u128>()),
        database: source.server.database.clone(),
        backup_date: started,
        // The database on disk is larger than its compressed dump, as a rule; where it isn't, parts grow.
        expected_size: source.server.size,
    };
    let encrypted = !settings.recipients.is_empty();
    let key = |repository: &Repository, id: &catalog::BackupId| {
        repository.layout().archive(id, settings.compression, encrypted)
    };
    Lanes::open(places, interrupt.clone(), &metadata, key).await
}

/// Runs the road on a thread that may block, and ends pg_dump when the run is told to stop.
async fn carry_into(
    settings: &Settings,
    source: &Source,
    mut lanes: Lanes,
    interrupt: &Interrupt,
) -> Result<(Carried, Lanes), Failure> {
    let dump = source.dump()?;
    let stopper = dump.stopper();
    let frames = FrameSettings {
        compression: settings.compression,
        level: settings.compression_level,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let (recipients, database) = (settings.recipients.clone(), source.server.database.clone());
    let progress = Progress::open_end(settings.report, &source.server.database);
    let road = tokio::task::spawn_blocking(move || {
        let carried = carry(dump, &database, frames, &recipients, &mut lanes, &progress);
        (carried, lanes)
    });
    let mut told = interrupt.clone();
    let (carried, lanes) = tokio::select! {
        ended = road => ended,
        ended = async { told.wait().await; stopper.stop(); std::future::pending().await } => ended,
    }
    .map_err(|e| Failure::new(Exit::Failed, format!("the backup's own thread failed: {e}")))?;
    match carried {
        Ok(carried) => Ok((carried, lanes)),
        Err(error) => {
            lanes.abort().await;
            Err(explain(source, error, interrupt))
        }
    }
}

/// Which of pg_dump, the server, the network or the user ended a run.
fn explain(source: &Source, error: CarryError, interrupt: &Interrupt) -> Failure {
    match (interrupt.seen(), error) {
        (Some(signal), _) => lanes::stopped_by(signal),
        (None, CarryError::Stored(failure)) => failure,
        (None, CarryError::Dump(error)) => source.explain(&error),
        (None, error @ CarryError::OtherDatabase { .. }) => {
            Failure::new(Exit::Usage, format!("backup of {}: {error}", source.server.database)).hint(
                "leave words that aren't options out of BACKUP_PG_DUMP_OPTIONS: a database is named with --database",
            )
        }
        (None, error) => Failure::new(Exit::Failed, format!("backup of {}: {error}", source.server.database))
            .hint("nothing was kept of this run; start it again"),
    }
}
