//! `lastgood prune`: the plan of retention, with the reason for each backup, and then its execution. `--dry-run` shows the same
//! plan and stops there.

mod answer;

use catalog::retention::Limit;
use catalog::{Catalog, Plan, catalogs, encode_database};
use jiff::Timestamp;
use repository::{Removal, Repository, Scope};

use crate::answers::failure::{Exit, Failure};
use crate::cli::PruneArgs;
use crate::commands::prune::answer::{PruneAnswer, Pruned};
use crate::interrupt::{Interrupt, stopped_by};
use crate::leftovers;
use crate::lock::Lock;
use crate::logging;
use crate::places::{self, Catalogs};
use crate::rules::Rules;
use crate::settings::Settings;

/// Plans for each chosen database, and carries the plans out.
///
/// # Errors
/// When the repository cannot be listed completely, or another run holds a database's lock.
pub(crate) async fn run(args: &PruneArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    if !args.dry_run {
        refuse_unnamed(settings)?;
    }
    let repository = places::repository(&args.place, settings).await?;
    places::there(&repository).await?;
    let bucket = bucket_behind(&repository, settings).await?;
    let now = Timestamp::now();
    let mut found = Catalogs::choose(listing(&repository).await?, settings);
    // A backup that came between the listing and its lock is newer than all others: missing it only keeps more.
    let _locks = if args.dry_run { Vec::new() } else { locks(settings, &found)? };
    if !args.dry_run && sweep(&repository, &found, now).await {
        found = Catalogs::choose(listing(&repository).await?, settings);
    }
    let limit = if args.force { Limit::Lifted } else { Limit::Half };
    let (mut pruned, mut broken) = (Vec::new(), None);
    for (database, mut catalog) in found.chosen {
        if let Some(signal) = interrupt.seen() {
            broken = Some(stopped_by(signal));
            break;
        }
        let prune = async {
            repository.resolve(&mut catalog).await?;
            let rules = Rules::of(&repository, &database, bucket_catalog(bucket.as_deref(), &catalog));
            let plan = rules.plan(&catalog, now, limit);
            let removal = if args.dry_run { None } else { Some(carry_out(&repository, &catalog, &plan).await?) };
            Ok(Pruned::new(&catalog.database, &plan, removal.as_ref(), now))
        };
        match prune.await {
            Ok(one) => pruned.push(one),
            Err(failure) => {
                broken = Some(failure);
                break;
            }
        }
    }
    answer(PruneAnswer::new(&repository, args.dry_run, pruned), broken, settings)
}

/// Says what became of each database, also before what kept the run from the others.
fn answer(answer: PruneAnswer, broken: Option<Failure>, settings: &Settings) -> Result<Exit, Failure> {
    if let Some(failure) = broken.as_ref().filter(|_| answer.is_empty()) {
        return Err(failure.clone());
    }
    logging::done(&answer);
    let exit = broken.as_ref().map_or(answer.exit(), |failure| failure.exit);
    if answer.dry_run {
        settings.report.answer(&answer, &answer)?;
    } else {
        settings.report.outcome(exit, &answer, &answer)?;
    }
    answer.failures().chain(broken).for_each(|failure| settings.report.say(&failure));
    Ok(exit)
}

/// Refuses to remove backups unless a database was named: the rules set here may not be meant for every database that shares
/// the repository.
fn refuse_unnamed(settings: &Settings) -> Result<(), Failure> {
    let is_named = settings.databases.iter().any(|database| database.name.is_some());
    if is_named || settings.all_databases {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, "cannot prune: no database is set").hint(
        "set one with --database NAME or DB_NAME, or apply these rules to every database in the repository with --all-databases; \
         see the plan for all of them with --dry-run",
    ))
}

/// All catalogs with every version of each object, because removal takes them all.
async fn listing(repository: &Repository) -> Result<Vec<Catalog>, Failure> {
    Ok(catalogs(repository.layout(), repository.versions(Scope::All).await?))
}

/// Whether killed runs had left anything, also where no backup comes any more that would look.
async fn sweep(repository: &Repository, found: &Catalogs, now: Timestamp) -> bool {
    let mut swept = 0;
    for (_, catalog) in &found.chosen {
        swept += leftovers::sweep(repository, &catalog.database, now).await;
    }
    swept > 0
}

/// The catalogs of the bucket that a directory's copies were uploaded to, where one is set.
async fn bucket_behind(repository: &Repository, settings: &Settings) -> Result<Option<Vec<Catalog>>, Failure> {
    let Repository::Directory(_) = repository else { return Ok(None) };
    match places::bucket(settings).await? {
        Some(bucket) => Ok(Some(bucket.catalogs().await?)),
        None => Ok(None),
    }
}

/// What the bucket behind a directory has of the same database.
fn bucket_catalog(bucket: Option<&[Catalog]>, catalog: &Catalog) -> Option<Catalog> {
    let theirs = bucket?.iter().find(|theirs| theirs.database == catalog.database).cloned();
    Some(theirs.unwrap_or_else(|| places::empty(&catalog.database)))
}

/// Takes all locks before the first removal, so that a refused lock leaves everything as it was.
fn locks(settings: &Settings, found: &Catalogs) -> Result<Vec<Lock>, Failure> {
    let names = found.chosen.iter().map(|(_, catalog)| encode_database(&catalog.database));
    names.map(|name| Lock::take(&settings.lock_directory, &name)).collect()
}

/// Removes what the plan says, in the one order that never leaves half a backup.
async fn carry_out(repository: &Repository, catalog: &Catalog, plan: &Plan<'_>) -> Result<Removal, Failure> {
    let objects: Vec<_> = plan.removals().flat_map(|row| row.entry.removal()).cloned().collect();
    if objects.is_empty() {
        return Ok(Removal::default());
    }
    repository.remove(&objects).await.map_err(|error| {
        let failure = Failure::from(error);
        let error =
            format!("{}: its removals broke off, and some may have been made: {}", catalog.database, failure.error);
        Failure { error, ..failure }
    })
}
