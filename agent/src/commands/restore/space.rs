//! Whether a second copy of the database fits on the server's disk. Only a server on this machine can be asked.

use postgres::Connection;
use postgres::database::live::Role;

use std::path::Path;

/// What a restored database needs beyond its size at the time of the backup: WAL, sorting for indexes.
const MARGIN_PERCENT: u64 = 10;

/// Bytes on the server's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) needed: u64,
    pub(crate) free: u64,
}

impl Space {
    /// `None` where the disk can't be asked or the need isn't known.
    pub(crate) fn ask(connection: &Connection, role: &Role, database_size: Option<u64>) -> Option<Self> {
        let size = database_size?;
        let free = free(Path::new(role.data_directory.as_deref().filter(|_| is_local(connection))?))?;
        Some(Self { needed: size.saturating_add((size / 100).saturating_mul(MARGIN_PERCENT)), free })
    }

    pub(crate) fn is_enough(self) -> bool {
        self.needed <= self.free
    }
}

/// Bytes that may be written below `path`; `None` where it can't be asked.
pub(crate) fn free(path: &Path) -> Option<u64> {
    let figures = rustix::fs::statvfs(path).ok()?;
    Some(figures.f_bavail.saturating_mul(figures.f_frsize))
}

fn is_local(connection: &Connection) -> bool {
    match connection.get("PGHOSTADDR").or_else(|| connection.get("PGHOST")) {
        None => true,
        Some(host) => host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host),
    }
}
