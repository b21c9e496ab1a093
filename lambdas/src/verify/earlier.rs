//! How a backup compares with those before it: a dump that shrank by half is intact, and still wants to be looked at.

use catalog::{Entry, Manifest};
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::Failure;

/// How many earlier backups are compared with.
const EARLIER: usize = 7;

/// A backup's size and rows, and those of the good ones before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Stored bytes.
    pub bytes: u64,
    /// Rows of all tables that were dumped with COPY.
    pub rows: u64,
    /// Stored bytes of up to seven earlier good backups.
    pub earlier_bytes: Vec<u64>,
    /// Their rows, where their manifests can be read.
    pub earlier_rows: Vec<u64>,
}

impl Sizes {
    pub(super) fn of(manifest: &Manifest, bytes: u64) -> Self {
        Self { bytes, rows: rows(manifest), ..Self::default() }
    }
}

/// Looks at the last seven good backups before `entry`.
///
/// # Errors
/// Of the repository.
pub(super) async fn add(repository: &Repository, entry: &Entry, sizes: &mut Sizes) -> Result<(), Failure> {
    let database = entry.id.stem.database();
    let catalog = repository.recent_good(&database, Timestamp::now(), EARLIER + 1).await?;
    let earlier = catalog.good().filter(|good| good.id != entry.id && good.instant <= entry.instant);
    for good in earlier.take(EARLIER) {
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
