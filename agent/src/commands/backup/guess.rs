//! How large the dump will be, by the last good backup: a bar needs it to say how much is left.

use std::time::Duration;

use crate::commands::backup::run::Run;
use crate::places;

/// What asking may take: a bar is worth no more.
const LIMIT: Duration = Duration::from_secs(3);

/// About how many bytes will be dumped; none where nobody watches, or nothing tells.
pub(super) async fn guess(run: &Run<'_>) -> Option<u64> {
    if !run.settings.report.shows_progress() {
        return None;
    }
    tokio::time::timeout(LIMIT, last(run)).await.ok().flatten()
}

async fn last(run: &Run<'_>) -> Option<u64> {
    let repository = run.repositories.first()?;
    let catalog = repository.recent_good(&run.source.server.database, run.started.at, 1).await.ok()?;
    let manifest = places::manifest(repository, catalog.newest_good(run.started.at)?).await.ok()??;
    Some(manifest.census.bytes()).filter(|bytes| *bytes > 0)
}
