//! After a backup: removing old local backups. Beside a bucket they are copies, and those that the bucket has too are removed;
//! without one the directory is the repository, and `prune`'s rules decide.

use catalog::retention::Limit;
use catalog::{Catalog, Plan};
use jiff::Timestamp;
use repository::Repository;

use crate::commands::backup::run::Run;
use crate::settings::DatabaseSettings;

/// Removes what the plan says. A failure here is a warning: it does not fail a backup that is already safe.
pub(super) async fn tidy(run: &Run<'_>) {
    let (settings, database) = (run.database, run.source.server.database.as_str());
    let tidied = match run.repositories.as_slice() {
        [directory @ Repository::Directory(_)] => alone(settings, directory, database).await,
        [directory @ Repository::Directory(_), bucket @ Repository::Bucket(_)] => {
            beside(settings, directory, bucket, database).await
        }
        _ => Ok(()),
    };
    if let Err(error) = tidied {
        tracing::warn!("old local backups were not removed: {error}");
    }
}

async fn alone(settings: &DatabaseSettings, directory: &Repository, database: &str) -> Result<(), repository::Error> {
    let local = local(directory, database).await?;
    let plan = catalog::plan(&local, &settings.directory_policy, Timestamp::now(), Limit::Half);
    carry_out(&plan, directory).await
}

async fn beside(
    settings: &DatabaseSettings,
    directory: &Repository,
    bucket: &Repository,
    database: &str,
) -> Result<(), repository::Error> {
    let local = local(directory, database).await?;
    let stored = bucket.catalog(database).await?;
    let plan = catalog::local_plan(&local, &stored, settings.local_days, Timestamp::now());
    carry_out(&plan, directory).await
}

async fn local(directory: &Repository, database: &str) -> Result<Catalog, repository::Error> {
    let mut local = directory.catalog(database).await?;
    directory.resolve(&mut local).await?;
    Ok(local)
}

async fn carry_out(plan: &Plan<'_>, directory: &Repository) -> Result<(), repository::Error> {
    if let Some(refusal) = &plan.refused {
        tracing::warn!("old local backups were not removed: {refusal}; {}", refusal.hint());
    }
    for row in plan.removals() {
        let objects: Vec<_> = row.entry.removal().cloned().collect();
        let removal = directory.remove(&objects).await?;
        for (key, reason) in &removal.failed {
            tracing::warn!("{} was not removed: {reason}", directory.object_name(key));
        }
        if removal.is_complete() {
            tracing::info!("removed {}: {}", directory.object_name(&row.entry.id.to_string()), row.reason());
        }
    }
    Ok(())
}
