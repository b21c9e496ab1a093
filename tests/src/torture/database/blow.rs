//! What a backup is struck by.

use super::fault::Fault;

/// One fault at one moment of one backup.
pub(super) struct Blow {
    pub(super) fault: &'static Fault,
    pub(super) jobs: u32,
    /// A directory, and so many buckets.
    pub(super) buckets: usize,
    /// Thousandths of what comes from the server.
    pub(super) moment: u64,
    pub(super) name: String,
}
