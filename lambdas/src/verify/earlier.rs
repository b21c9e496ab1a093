//! Compares a backup with those before it: a dump that shrank by half is intact, and still deserves a look.

use catalog::{Entry, Manifest};
use jiff::Timestamp;
use repository::Repository;

use crate::Failure;
use crate::findings::Sizes;

/// How many earlier backups count in the comparison.
const EARLIER: usize = 7;

impl Sizes {
    /// The backup's own size and rows, still without those before it.
    pub(super) fn of(manifest: &Manifest, bytes: u64) -> Self {
        Self { bytes, rows: rows(manifest), ..Self::default() }
    }
}

/// Adds the sizes of the last seven good backups before `entry`.
///
/// # Errors
/// When the repository cannot be read.
pub(super) async fn add(repository: &Repository, entry: &Entry, sizes: &mut Sizes) -> Result<(), Failure> {
    let database = entry.id.stem.database();
    let catalog = repository.recent_good(&database, Timestamp::now(), EARLIER + 1).await?;
    let earlier = catalog.good().filter(|good| good.id != entry.id && good.instant <= entry.instant);
    for good in earlier.take(EARLIER) {
        sizes.earlier_bytes.push(good.size());
        let Some(manifest) = &good.manifest else { continue };
        let manifest = Manifest::from_json(&repository.read_record(manifest).await?);
        sizes.earlier_rows.extend(manifest.ok().as_ref().map(rows));
    }
    Ok(())
}

fn rows(manifest: &Manifest) -> u64 {
    manifest.census.tables.iter().filter_map(|table| table.rows).fold(0, u64::saturating_add)
}
