//! What killed runs left behind: hidden files, open multipart uploads. The database's lock is held, so no run on this machine
//! is writing them; their age protects runs of other machines.

use std::time::Duration;

use repository::Repository;

use crate::commands::backup::outcome::BackupOutcome;
use crate::commands::backup::run::Run;

/// A file that is being written changes all the time.
const FILES_AFTER: Duration = Duration::from_secs(15 * 60);
/// A store tells only when an upload began, and a large database takes its time.
const UPLOADS_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Sweeps directories before the dump: a dead run's half of an archive may take the space that this one needs.
pub(super) async fn make_room(run: &Run<'_>) {
    for directory in run.repositories.iter().filter(|r| matches!(r, Repository::Directory(_))) {
        sweep(run, directory, FILES_AFTER).await;
    }
}

/// Sweeps buckets after the backup, and only where it arrived: an unreachable store must not be waited for twice.
pub(super) async fn abort_uploads(run: &Run<'_>, outcome: &BackupOutcome) {
    let arrived = |repository: &&Repository| outcome.is_kept_in(&repository.display_name());
    for bucket in run.repositories.iter().filter(|r| matches!(r, Repository::Bucket(_))).filter(arrived) {
        sweep(run, bucket, UPLOADS_AFTER).await;
    }
}

/// Removes what is older than `older_than`. A failure here does not fail the backup.
async fn sweep(run: &Run<'_>, repository: &Repository, older_than: Duration) {
    let place = repository.display_name();
    match repository.sweep(&run.source.server.database, run.started.at, older_than).await {
        Ok(0) => {}
        Ok(swept) => tracing::info!("removed {swept} that killed runs left in {place}"),
        // The bucket's lifecycle rule does it as well.
        Err(error) => tracing::debug!("cannot remove what killed runs may have left in {place}: {error}"),
    }
}
