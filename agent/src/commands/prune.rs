//! `lastgood prune`: the plan of retention, with the reason for each backup, and then its execution. `--dry-run` shows the same
//! plan and stops there.

mod answer;

use catalog::retention::Limit;
use catalog::{Catalog, Plan, Policy, catalogs, encode_database, local_plan, plan};
use jiff::Timestamp;
use repository::{Removal, Repository, Scope};

use crate::answers::failure::{Exit, Failure};
use crate::cli::PruneArgs;
use crate::commands::prune::answer::{PruneAnswer, Pruned};
use crate::lock::Lock;
use crate::logging;
use crate::places::{self, Catalogs};
use crate::settings::{DatabaseSettings, Settings};

/// Plans for each chosen database, and carries the plans out.
///
/// # Errors
/// When the repository cannot be listed completely, or another run holds a database's lock.
pub(crate) async fn run(args: &PruneArgs, settings: &Settings) -> Result<Exit, Failure> {
    if !args.dry_run {
        refuse_unnamed(settings)?;
    }
    let repository = places::repository(args.place, settings).await?;
    let bucket = bucket_behind(&repository, settings).await?;
    let found = Catalogs::choose(listing(&repository).await?, settings);
    // A backup that came between the listing and its lock is newer than all others: missing it only keeps more.
    let _locks = if args.dry_run { Vec::new() } else { locks(settings, &found)? };
    let now = Timestamp::now();
    let limit = if args.force { Limit::Lifted } else { Limit::Half };
    let mut pruned = Vec::new();
    for (database, mut catalog) in found.chosen {
        repository.resolve(&mut catalog).await?;
        let plan = Rules::of(&repository, &database, bucket.as_deref(), &catalog).plan(&catalog, now, limit);
        let removal = if args.dry_run { None } else { Some(carry_out(&repository, &plan).await?) };
        pruned.push(Pruned::new(&catalog.database, &plan, removal.as_ref(), now));
    }
    let answer = PruneAnswer::new(&repository, args.dry_run, pruned);
    logging::done(&answer);
    if args.dry_run {
        settings.report.answer(&answer, &answer)?;
    } else {
        settings.report.outcome(answer.exit(), &answer, &answer)?;
    }
    answer.failures().for_each(|failure| settings.report.say(&failure));
    Ok(answer.exit())
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

/// The catalogs of the bucket that a directory's copies were uploaded to, where one is set.
async fn bucket_behind(repository: &Repository, settings: &Settings) -> Result<Option<Vec<Catalog>>, Failure> {
    match (repository, &settings.bucket) {
        (Repository::Directory(_), Some(bucket)) => {
            Ok(Some(Repository::bucket(bucket.clone()).await?.catalogs().await?))
        }
        _ => Ok(None),
    }
}

/// Takes all locks before the first removal, so that a refused lock leaves everything as it was.
fn locks(settings: &Settings, found: &Catalogs) -> Result<Vec<Lock>, Failure> {
    let names = found.chosen.iter().map(|(_, catalog)| encode_database(&catalog.database));
    names.map(|name| Lock::take(&settings.lock_directory, &name)).collect()
}

/// The rules that apply to one database in one repository.
enum Rules<'a> {
    /// The repository is the only one: its policy decides.
    Policy(&'a Policy),
    /// The repository has local copies beside a bucket: they are removed once the bucket has them.
    Copies { bucket: Catalog, days: u32 },
}

impl<'a> Rules<'a> {
    fn of(
        repository: &Repository,
        database: &'a DatabaseSettings,
        bucket: Option<&[Catalog]>,
        catalog: &Catalog,
    ) -> Self {
        match (repository, bucket) {
            (Repository::Bucket(_), _) => Self::Policy(&database.policy),
            (Repository::Directory(_), None) => Self::Policy(&database.directory_policy),
            (Repository::Directory(_), Some(bucket)) => {
                let theirs = bucket.iter().find(|theirs| theirs.database == catalog.database).cloned();
                let none = || Catalog { database: catalog.database.clone(), entries: Vec::new(), expected: None };
                Self::Copies { bucket: theirs.unwrap_or_else(none), days: database.local_days }
            }
        }
    }

    fn plan<'c>(&self, catalog: &'c Catalog, now: Timestamp, limit: Limit) -> Plan<'c> {
        match self {
            Self::Policy(policy) => plan(catalog, policy, now, limit),
            Self::Copies { bucket, days } => local_plan(catalog, bucket, *days, now),
        }
    }
}

/// Removes what the plan says, in the one order that never leaves half a backup.
async fn carry_out(repository: &Repository, plan: &Plan<'_>) -> Result<Removal, Failure> {
    let objects: Vec<_> = plan.removals().flat_map(|row| row.entry.removal()).cloned().collect();
    if objects.is_empty() {
        return Ok(Removal::default());
    }
    Ok(repository.remove(&objects).await?)
}
