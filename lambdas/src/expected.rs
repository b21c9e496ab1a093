//! Whether a database's backups are missed when they don't come: from its first backup until it is retired.

use catalog::{Catalog, DatabaseEntry};
use jiff::Timestamp;
use repository::Repository;

use crate::Failure;

/// The mark of the catalog's database, at the cost of one small object; `None` where its backups aren't expected: it was never
/// marked, for guests alone lie here, or it was retired. One that the stack names is expected whatever its mark says, and without
/// one since its oldest backup.
///
/// # Errors
/// When it can't be read, or isn't understood: the database counts as expected by whoever asks.
pub(crate) async fn expected(
    repository: &Repository,
    catalog: &Catalog,
    is_named: bool,
    now: Timestamp,
) -> Result<Option<DatabaseEntry>, Failure> {
    let Some(mark) = &catalog.expected else {
        let oldest = catalog.entries.iter().map(|entry| entry.instant).min().filter(|_| is_named);
        return Ok(oldest.map(|oldest| DatabaseEntry::new(&catalog.database, oldest)));
    };
    let entry = repository.database_entry(mark).await?;
    Ok(Some(entry).filter(|entry| is_named || entry.is_expected(catalog, now)))
}
