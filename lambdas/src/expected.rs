//! Whether a database's backups are missed when they don't come: from its first backup until it is retired.

use catalog::{Catalog, DatabaseEntry};
use jiff::Timestamp;
use repository::Repository;

use crate::Failure;

/// A database's mark, read and weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// It was never marked: guests alone lie here.
    Never,
    /// Its backups are expected.
    Yes(DatabaseEntry),
    /// It was retired.
    Retired,
}

impl Expected {
    /// Reads the mark of the catalog's database; one small object.
    ///
    /// # Errors
    /// When it can't be read, or isn't understood: the database counts as expected by whoever asks.
    pub(crate) async fn read(repository: &Repository, catalog: &Catalog, now: Timestamp) -> Result<Self, Failure> {
        let Some(mark) = &catalog.expected else { return Ok(Self::Never) };
        let entry = repository.database_entry(mark).await?;
        Ok(if entry.is_expected(catalog, now) { Self::Yes(entry) } else { Self::Retired })
    }
}
