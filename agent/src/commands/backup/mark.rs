//! The mark that this database's backups are expected. It is put before the dump, once the server has confirmed that there is such a
//! database: so one whose backups never succeed is missed as well.

use std::time::Duration;

use catalog::manifest::Purpose;
use repository::{Error, Repository};

use crate::commands::backup::run::Run;
use crate::marks;

/// How long the dump waits for the mark: if the bucket can't be reached, the upload waits for it, and not this.
const PATIENCE: Duration = Duration::from_secs(5);

/// The repositories in which the database still has to be marked, by their names.
#[derive(Debug, Default)]
pub(super) struct Unmarked(Vec<String>);

impl Run<'_> {
    /// Marks the database in every bucket. A right that lacks is said, and what may pass is tried again when the backup is there:
    /// neither is a reason not to back up.
    pub(super) async fn mark(&self) -> Unmarked {
        let mut unmarked = Unmarked::default();
        // A restore's target may be a database that is never backed up otherwise.
        if self.purpose != Purpose::Backup {
            return unmarked;
        }
        for repository in self.repositories.iter().filter(|repository| matches!(repository, Repository::Bucket(_))) {
            match tokio::time::timeout(PATIENCE, self.expect(repository)).await {
                Ok(Ok(())) => self.compare_limits(repository).await,
                Ok(Err(error @ Error::AccessDenied { .. })) => self.warn(repository, &error),
                Ok(Err(_)) | Err(_) => unmarked.0.push(repository.display_name()),
            }
        }
        unmarked
    }

    /// Tries again where it didn't work before the dump.
    pub(super) async fn mark_again(&self, repository: &Repository, unmarked: &Unmarked) {
        if unmarked.0.contains(&repository.display_name())
            && let Err(error) = self.expect(repository).await
        {
            self.warn(repository, &error);
        }
    }

    async fn expect(&self, repository: &Repository) -> Result<(), Error> {
        marks::expect(repository, &self.source.server.database, self.started.at).await
    }

    fn warn(&self, repository: &Repository, error: &Error) {
        marks::warn(repository, &self.source.server.database, error);
    }

    /// Says where limits that were set here are others than those of the mark.
    async fn compare_limits(&self, repository: &Repository) {
        let limits = self.database.limits;
        if limits.is_empty() {
            return;
        }
        let read = tokio::time::timeout(PATIENCE, repository.database_entry_of(&self.source.server.database)).await;
        if let Ok(Ok(Some(mark))) = read {
            marks::contradictions(limits, &mark).iter().for_each(|contradiction| tracing::warn!("{contradiction}"));
        }
    }
}
