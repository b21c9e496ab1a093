//! `lastgood check`: whether the good backups are recent, large and numerous enough. It is made for monitoring: the first line
//! is the summary, the exit status is 6 if unhealthy, and 1 if unknown.
//!
//! It lists date folders from the newest down until it has seen as many good backups as there should be, and the first page of
//! the oldest: how many there are between doesn't matter. Of the newest good one it reads the records.

mod answer;
mod cloud;
mod elsewhere;
pub(crate) mod formats;

use catalog::freshness::{COMPARED, Drills, Finding};
use catalog::{Catalog, Entry, freshness, oldest_verdict};
use jiff::{SignedDuration, Timestamp};
use repository::{Error, Repository, Scope};

use crate::answers::failure::{Exit, Failure};
use crate::cli::CheckArgs;
use crate::commands::check::cloud::CloudSide;
use crate::commands::check::elsewhere::Elsewhere;
use crate::history;
use crate::interrupt::Interrupt;
use crate::marks;
use crate::places;
use crate::settings::{DatabaseSettings, Settings};
use crate::together::{self, One};
use crate::watchers::Notice;

pub(crate) use crate::commands::check::answer::{CheckAnswer, Health, Newest};

/// How many databases are asked about at the same time.
const AT_ONCE: usize = 8;

/// Checks the chosen databases.
///
/// # Errors
/// Exit 1 when the repository cannot be asked: unknown is never healthy.
pub(crate) async fn run(args: &CheckArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let general = settings.server();
    let notice = |database: &DatabaseSettings| {
        Notice::new("check", settings, database, interrupt).in_place(settings, args.place.repository.as_ref())
    };
    let general = notice(settings.databases.first().unwrap_or(&general));
    let looked = interrupt.or(look(args, settings)).await;
    // Who reads a form is told that everything is gone as of any other answer.
    let looked = if args.format.is_none() { looked.and_then(CheckAnswer::or_nothing) } else { looked };
    let answer = match looked {
        Ok(answer) => answer,
        // Whoever stops it is not to be told that something is wrong.
        Err(failure) if interrupt.seen().is_some() => return Err(failure),
        Err(failure) => {
            general.end(Some(&failure)).await;
            return Err(failure);
        }
    };
    // Of a database that is named its own notice tells, which may be that it still fails.
    match answer.nothing() {
        Some(failure) => general.end(Some(&failure)).await,
        None if settings.databases.is_empty() => general.recovered().await,
        None => {}
    }
    for health in &answer.databases {
        let database = settings.database(&health.database);
        notice(&database).end(health.failure().as_ref()).await;
    }
    if let Some(failure) = answer.stack_failure() {
        let stack = DatabaseSettings { name: Some(answer::STACK.to_owned()), ..settings.server() };
        notice(&stack).end(failure.as_ref()).await;
    }
    if let Some(format) = args.format {
        return formats::give(format, args.output.as_deref(), &answer);
    }
    let exit = if answer.is_healthy() { Exit::Done } else { Exit::Unhealthy };
    settings.report.outcome(exit, &answer, &answer)?;
    Ok(exit)
}

async fn look(args: &CheckArgs, settings: &Settings) -> Result<CheckAnswer, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    let answer = ask(&repository, args, settings, args.place.repository.is_none()).await?;
    note(&repository, &answer).await;
    Ok(answer)
}

/// Notes how the backups of these databases are today: what `verify` has just judged counts.
pub(crate) async fn after_verifying(repository: &Repository, names: &[String], settings: &Settings) {
    let now = Timestamp::now();
    for name in names {
        let database = settings.database(name);
        let database = DatabaseSettings { name: Some(name.clone()), ..database };
        match check((repository, None), &database, now).await {
            Ok(health) => history::note(repository, &health.day(now), now).await,
            Err(failure) => tracing::debug!("cannot note how the backups of {name} are today: {failure}"),
        }
    }
}

async fn note(repository: &Repository, answer: &CheckAnswer) {
    let now = Timestamp::now();
    for health in answer.databases.iter().filter(|health| health.is_expected()) {
        history::note(repository, &health.day(now), now).await;
    }
}

/// How the chosen databases are in this repository. With `elsewhere`, the settings' other places are asked as well: they are noted,
/// and fail nothing.
///
/// # Errors
/// As [`run`].
pub(crate) async fn ask(
    repository: &Repository,
    args: &CheckArgs,
    settings: &Settings,
    elsewhere: bool,
) -> Result<CheckAnswer, Failure> {
    repository.check_exists().await.map_err(|error| unknown(error.into()))?;
    let now = Timestamp::now();
    let asked = elsewhere.then_some(settings);
    let mut checked = Vec::new();
    for some in databases(repository, settings).await?.chunks(AT_ONCE) {
        let asking = some.iter().map(|database| -> One<'_, Result<Health, Failure>> {
            Box::pin(async move {
                let health = check((repository, asked), database, now).await?;
                let max_age = args.max_drill_age.map(|hours| SignedDuration::from_hours(hours.into()));
                drills(repository, health, max_age.or(database.max_drill_age), now).await
            })
        });
        for health in together::all(asking.collect()).await {
            checked.push(health.map_err(unknown)?);
        }
    }
    let cloud = if args.no_stack { None } else { cloud_side(repository, now).await };
    Ok(CheckAnswer::new(repository, checked, cloud))
}

/// What the AWS stack has left about itself. Without a stack there is nothing; and an older policy may refuse it: either says
/// nothing about the backups.
async fn cloud_side(repository: &Repository, now: Timestamp) -> Option<CloudSide> {
    if !matches!(repository, Repository::Bucket(_)) {
        return None;
    }
    match repository.health().await {
        Ok(health) => health.map(|health| CloudSide::new(health, now)),
        Err(error) => {
            tracing::debug!("cannot read how the cloud side is: {error}");
            None
        }
    }
}

/// What is wrong with the AWS stack, in words.
pub(crate) async fn stack(repository: &Repository, now: Timestamp) -> Vec<String> {
    let cloud = cloud_side(repository, now).await;
    cloud.into_iter().flat_map(|cloud| cloud.findings).map(|finding| finding.text).collect()
}

/// The chosen databases; if none was chosen, those that have backups or should have.
async fn databases(repository: &Repository, settings: &Settings) -> Result<Vec<DatabaseSettings>, Failure> {
    let named = settings.databases.iter().filter(|database| database.name.is_some());
    let named: Vec<DatabaseSettings> = named.cloned().collect();
    if !named.is_empty() {
        return Ok(named);
    }
    // Every first backup in a bucket leaves its database's mark; a directory is small enough to be looked through.
    let scope = if matches!(repository, Repository::Bucket(_)) { Scope::Databases } else { Scope::All };
    let objects = repository.objects(scope).await.map_err(|error| unknown(error.into()))?;
    let found = catalog::catalogs(repository.layout(), objects);
    Ok(found.iter().map(|catalog| settings.database(&catalog.database)).collect())
}

/// With `settings`, the other places that they name are asked as well.
async fn check(
    (repository, settings): (&Repository, Option<&Settings>),
    database: &DatabaseSettings,
    now: Timestamp,
) -> Result<Health, Failure> {
    let name = database.name.as_deref().unwrap_or_default();
    let catalog = repository.recent_good(name, now, looked_at(database)).await?;
    let oldest = repository.oldest(name).await?;
    let all = || catalog.entries.iter().chain(&oldest.entries);
    // Without a mark its backups are expected, too.
    let mark = repository.database_entry_of(name).await?;
    let mut thresholds = marks::thresholds(database, mark.as_ref());
    if database.counts_days {
        let first = all().filter(|entry| entry.is_backup() && !entry.is_safety()).map(|entry| entry.instant).min();
        thresholds.min_count = freshness::usual_count(first, thresholds.max_age, now);
    }
    let retired = match mark {
        Some(entry) if !entry.is_expected(&catalog, now) => entry.retired,
        _ => None,
    };
    let (mut findings, mut rows) = (Vec::new(), None);
    if retired.is_none() {
        findings.extend(freshness::check(&catalog, &thresholds, now));
        if let Some(newest) = catalog.newest_good(now) {
            let (finding, counted) = records(repository, newest).await?;
            findings.extend(finding);
            rows = counted;
        }
    }
    let verdict = oldest_verdict(all());
    let health = Health::new(&catalog, findings, retired, now).hinting(unverified(&catalog, now)).dating(verdict, now);
    let elsewhere = match (settings, catalog.newest_good(now)) {
        (Some(settings), Some(newest)) if health.is_expected() => Elsewhere::ask(settings, database, newest).await,
        _ => Elsewhere::default(),
    };
    let mut health = health.shrinking(&catalog, now).having(elsewhere);
    (health.rows, health.max_age) = (rows, thresholds.max_age);
    Ok(health)
}

/// How many good backups are enough to tell how a database is.
fn looked_at(database: &DatabaseSettings) -> usize {
    let compared = database.thresholds.min_size.map_or(COMPARED + 1, |_| 0);
    compared.max(if database.counts_days { COMPARED } else { database.thresholds.min_count })
}

/// Adds how the database's drills are. Where nobody asks for drills, nothing said of them is no failure.
async fn drills(
    repository: &Repository,
    health: Health,
    max_age: Option<SignedDuration>,
    now: Timestamp,
) -> Result<Health, Failure> {
    let read = match repository.drill_status(health.database()).await {
        Ok(status) => Ok(status.map(|status| status.last())),
        Err(Error::Document { source, .. }) => Err(source),
        Err(error) if max_age.is_none() => {
            tracing::debug!("cannot read when a restore was last proved: {error}");
            Ok(None)
        }
        Err(error) => return Err(error.into()),
    };
    Ok(health.drilled(&Drills::of(read), max_age, now))
}

/// What is wrong with the records of the newest good backup, and by them with its bytes: a listing shows neither. And its rows.
async fn records(repository: &Repository, newest: &Entry) -> Result<(Option<Finding>, Option<u64>), Failure> {
    let manifest = match &newest.manifest {
        Some(record) => as_read(repository.manifest(record).await)?,
        None => Ok(None),
    };
    let verdict = match &newest.intact {
        Some(record) => as_read(repository.verdict(record).await)?,
        None => Ok(None),
    };
    let rows = manifest.as_ref().ok().and_then(Option::as_ref).map(|manifest| manifest.census.rows());
    let promised = manifest.map(|manifest| manifest.map(|manifest| manifest.archive.digest));
    Ok((freshness::contradicted(newest, &promised, &verdict), rows))
}

/// A record that is broken is a finding, one that cannot be read a failure.
fn as_read<T>(record: Result<T, Error>) -> Result<freshness::Read<T>, Failure> {
    match record {
        Ok(record) => Ok(Ok(Some(record))),
        Err(Error::Document { source, .. }) => Ok(Err(source)),
        Err(error) => Err(error.into()),
    }
}

/// The name of a newer backup that was not verified: it tells a verifier that stopped from backups that stopped.
fn unverified(catalog: &Catalog, now: Timestamp) -> Option<String> {
    let newest = catalog.newest_uploaded(now)?;
    let is_newer = catalog.newest_good(now).is_none_or(|good| newest.instant > good.instant);
    (is_newer && newest.judged().is_none()).then(|| newest.name())
}

/// A missing directory may be a disk that is not mounted.
fn unknown(failure: Failure) -> Failure {
    match failure.exit {
        Exit::NotFound => Failure { exit: Exit::Failed, ..failure }
            .hint("check that its disk is mounted: until it can be read, the state of the backups is unknown"),
        _ => failure,
    }
}
