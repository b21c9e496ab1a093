//! How much a run of the benchmarks does.

/// How much is done.
pub(crate) struct Effort {
    pub(crate) quick: bool,
    /// Of the database as an uncompressed archive.
    pub(crate) megabytes: u32,
    pub(crate) rounds: usize,
}
