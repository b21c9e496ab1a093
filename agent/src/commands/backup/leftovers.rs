//! When a run sweeps up after killed ones.

use repository::Repository;

use crate::commands::backup::outcome::BackupOutcome;
use crate::commands::backup::run::Run;
use crate::leftovers;

/// Sweeps directories before the dump: a dead run's half of an archive may take the space that this one needs.
pub(super) async fn make_room(run: &Run<'_>) {
    for directory in run.repositories.iter().filter(|r| matches!(r, Repository::Directory(_))) {
        leftovers::sweep(directory, &run.source.server.database, run.started.at).await;
    }
}

/// Sweeps buckets after the backup, and only where it arrived: an unreachable store must not be waited for twice.
pub(super) async fn abort_uploads(run: &Run<'_>, outcome: &BackupOutcome) {
    let places = run.repositories.iter().zip(&run.spots).filter(|(_, spot)| outcome.is_kept_in(**spot));
    for (bucket, _) in places.filter(|(repository, _)| repository.is_bucket()) {
        leftovers::sweep(bucket, &run.source.server.database, run.started.at).await;
    }
}
