//! Whether a database's backups are missed when they don't come: from its first backup until it is retired.

use catalog::{Catalog, DatabaseEntry};
use jiff::Timestamp;
use repository::Repository;

use crate::Failure;

/// The mark of the catalog's database, at the cost of one small object; `None` where its backups aren't expected: it was never
/// marked, for guests alone lie here, or it was retired.
///
/// # Errors
/// When it can't be read, or isn't understood: the database counts as expected by whoever asks.
pub(crate) async fn expected(
    repository: &Repository,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<Option<DatabaseEntry>, Failure> {
    let Some(mark) = &catalog.expected else { return Ok(None) };
    let entry = repository.database_entry(mark).await?;
    Ok(Some(entry).filter(|entry| entry.is_expected(catalog, now)))
}
