//! Whether a second copy of the database fits on the server's disk. Only a server on this machine can be asked.

use std::path::Path;

use crate::commands::restore::server::Target;

/// What a restored database needs beyond its size at the time of the backup: WAL, sorting for indexes.
const MARGIN_PERCENT: u64 = 10;

/// Bytes on the server's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) needed: u64,
    pub(crate) free: u64,
}

impl Space {
    /// `None` where the disk cannot be asked or the need is not known.
    pub(crate) fn ask(target: &Target, database_size: Option<u64>) -> Option<Self> {
        let size = database_size?;
        let directory = target.role.data_directory.as_deref().filter(|_| target.is_local)?;
        Some(Self {
            needed: size.saturating_add((size / 100).saturating_mul(MARGIN_PERCENT)),
            free: free(Path::new(directory))?,
        })
    }

    /// Whether it fits.
    pub(crate) fn is_enough(self) -> bool {
        self.needed <= self.free
    }
}

/// Bytes that may be written below `path`; `None` where it cannot be asked.
pub(crate) fn free(path: &Path) -> Option<u64> {
    let figures = rustix::fs::statvfs(path).ok()?;
    Some(figures.f_bavail.saturating_mul(figures.f_frsize))
}
