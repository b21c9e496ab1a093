//! After a backup: local copies older than their retention go, when the bucket has them too.

use jiff::Timestamp;
use repository::Repository;

use crate::settings::DatabaseSettings;

/// Removes what the plan for local copies says. Nothing here fails a backup that is already safe: it is said and left.
pub(crate) async fn tidy(settings: &DatabaseSettings, repositories: &[Repository], database: &str) {
    let [directory @ Repository::Directory(_), bucket @ Repository::Bucket(_)] = repositories else { return };
    if let Err(error) = remove_old(settings, directory, bucket, database).await {
        tracing::warn!("old local copies stay: {error}");
    }
}

async fn remove_old(
    settings: &DatabaseSettings,
    directory: &Repository,
    bucket: &Repository,
    database: &str,
) -> Result<(), repository::Error> {
    let local = directory.catalog(database).await?;
    let stored = bucket.catalog(database).await?;
    let plan = catalog::local_plan(&local, &stored, settings.local_days, Timestamp::now());
    for row in plan.removals() {
        let objects: Vec<_> = row.entry.removal().cloned().collect();
        directory.remove(&objects).await?;
        tracing::info!("removed the local copy {}: {}", row.entry.id, row.reason());
    }
    Ok(())
}
