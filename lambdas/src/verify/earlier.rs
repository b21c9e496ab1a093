//! Compares a backup with those before it: a dump that shrank by half is intact, and still deserves a look.

use catalog::verdict::Extent;
use catalog::{Entry, Manifest};
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::Failure;
use crate::findings::Sizes;

/// How many earlier backups count in the comparison.
const EARLIER: usize = 7;

impl Sizes {
    /// The backup's own size and rows, still without those before it.
    pub(super) fn of(manifest: &Manifest, bytes: u64) -> Self {
        Self { bytes, rows: rows(manifest), ..Self::default() }
    }

    /// The same as a verdict carries it.
    pub(super) fn extent(&self) -> Extent {
        Extent::beside(self.bytes, self.rows, &self.earlier_bytes, &self.earlier_rows)
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
    // What came before a backup that was accepted is not what one expects any more.
    let mut is_accepted = entry.accepted.is_some();
    let since = earlier.take(EARLIER).take_while(|good| !std::mem::replace(&mut is_accepted, good.accepted.is_some()));
    for good in since {
        sizes.earlier_bytes.push(good.size());
        let Some(manifest) = &good.manifest else { continue };
        match repository.manifest(manifest).await {
            Ok(manifest) => sizes.earlier_rows.push(rows(&manifest)),
            Err(Error::Document { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn rows(manifest: &Manifest) -> u64 {
    manifest.census.tables.iter().filter_map(|table| table.rows).fold(0, u64::saturating_add)
}
