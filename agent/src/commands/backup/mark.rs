//! The mark that this database's backups are expected. It is put as soon as the server has confirmed that there is such a database,
//! before its dump and before anything else that may fail: so one whose backups never succeed is missed as well.

use std::time::Duration;

use jiff::Timestamp;
use repository::{Error, Repository};

use crate::marks;
use crate::settings::Limits;
use crate::together::{self, One};

/// How long the backup waits for the mark: if the bucket can't be reached, the upload waits for it, and not this.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database to be marked.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) database: String,
    /// When its backup began.
    pub(super) since: Timestamp,
    /// The limits that were set here, to be compared with those of the mark.
    pub(super) limits: Limits,
}

/// A mark, and the repositories that it still has to be put in, by their names.
#[derive(Debug)]
pub(super) struct Unmarked {
    mark: Mark,
    repositories: Vec<String>,
}

impl Mark {
    /// Marks the database in every bucket. A right that lacks is said, and what may pass is tried again when the backup is there:
    /// neither is a reason not to back up.
    pub(super) async fn put(self, repositories: &[Repository]) -> Option<Unmarked> {
        let buckets = repositories.iter().filter(|repository| repository.is_bucket());
        let marking = buckets.map(|repository| -> One<'_, Option<String>> { Box::pin(self.put_in(repository)) });
        let unmarked: Vec<String> = together::all(marking.collect()).await.into_iter().flatten().collect();
        (!unmarked.is_empty()).then_some(Unmarked { mark: self, repositories: unmarked })
    }

    /// The repository's name, where it has to be tried again.
    async fn put_in(&self, repository: &Repository) -> Option<String> {
        match tokio::time::timeout(PATIENCE, marks::expect(repository, &self.database, self.since)).await {
            Ok(Ok(())) => self.compare_limits(repository).await,
            Ok(Err(error @ Error::AccessDenied { .. })) => marks::warn(repository, &self.database, &error),
            Ok(Err(_)) | Err(_) => return Some(repository.display_name()),
        }
        None
    }

    /// Says where limits that were set here are others than those of the mark.
    async fn compare_limits(&self, repository: &Repository) {
        if self.limits.is_empty() {
            return;
        }
        let read = tokio::time::timeout(PATIENCE, repository.database_entry_of(&self.database)).await;
        if let Ok(Ok(Some(mark))) = read {
            marks::contradictions(self.limits, &mark)
                .iter()
                .for_each(|contradiction| tracing::warn!("{contradiction}"));
        }
    }
}

impl Unmarked {
    /// Tries again where it didn't work before the dump.
    pub(super) async fn try_again(&self, repository: &Repository) {
        let Self { mark: Mark { database, since, .. }, repositories } = self;
        if repositories.contains(&repository.display_name())
            && let Err(error) = marks::expect(repository, database, *since).await
        {
            marks::warn(repository, database, &error);
        }
    }
}
