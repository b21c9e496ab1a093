//! After a backup: removing old local backups. Beside a bucket they are copies, and those that the bucket has too are removed;
//! without one the directory is the repository, and `prune`'s rules decide.

use catalog::Plan;
use catalog::retention::Limit;
use jiff::Timestamp;
use repository::Repository;

use crate::commands::backup::run::Run;
use crate::rules::Rules;

/// Removes what the plan says. A failure here is a warning: it does not fail a backup that is already safe.
pub(super) async fn tidy(run: &Run<'_>) {
    let Some((directory @ Repository::Directory(_), others)) = run.repositories.split_first() else { return };
    if let Err(error) = remove_old(run, directory, others.first()).await {
        tracing::warn!("old local backups were not removed: {error}");
    }
}

async fn remove_old(
    run: &Run<'_>,
    directory: &Repository,
    bucket: Option<&Repository>,
) -> Result<(), repository::Error> {
    let database = &run.source.server.database;
    let mut local = directory.catalog(database).await?;
    directory.resolve(&mut local).await?;
    let stored = match bucket {
        Some(bucket) => Some(bucket.catalog(database).await?),
        None => None,
    };
    let plan = Rules::of(directory, run.database, stored).plan(&local, Timestamp::now(), Limit::Half);
    carry_out(&plan, directory).await
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
