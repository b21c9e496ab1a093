//! Temporary files, in which the rows of one table wait while those of others are being restored.
//!
//! They have no names, so that nothing is left of them whatever ends the restore.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use catalog::manifest::Manifest;

use crate::restore::head::Head;
use crate::restore::space;

/// Below this a serial restore is over before the jobs have started: bytes of rows.
const LEAST: u64 = 64 << 20;
/// With one core there is nothing to share out.
const LEAST_JOBS: usize = 2;
/// More jobs than this gain little on one disk.
const MOST_JOBS: usize = 8;

/// How a parallel restore is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spool {
    pub(crate) folder: PathBuf,
    pub(crate) jobs: usize,
}

impl Spool {
    /// Decides whether it pays: enough rows, more than one table, enough cores, and twice the room it takes. `jobs` that were
    /// asked for are taken as they are.
    #[expect(clippy::disallowed_methods, reason = "TMPDIR is the system's word for where temporary files go")]
    pub(crate) fn that_pays(head: &Head, manifest: Option<&Manifest>, jobs: Option<usize>) -> Option<Self> {
        // Systems keep /tmp in memory; /var/tmp lies on a disk.
        let folder = std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
        if let Some(jobs) = jobs {
            return (jobs > 1).then_some(Self { folder, jobs });
        }
        let census = &manifest?.census;
        let bytes = census.bytes();
        let jobs = usual_jobs();
        let pays = bytes >= LEAST && head.data_blocks() > 1 && jobs >= LEAST_JOBS;
        let fits = space::free(&folder).is_some_and(|free| free / 2 > bytes);
        (pays && fits).then_some(Self { folder, jobs })
    }

    /// An empty file without a name.
    ///
    /// # Errors
    /// When the folder takes none.
    pub(crate) fn create(&self) -> io::Result<File> {
        tempfile::tempfile_in(&self.folder)
    }
}

/// A job for each core, where nobody asked for more or fewer.
pub(crate) fn usual_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_JOBS)
}

/// The path by which a child process opens a file without a name.
pub(crate) fn path_of(file: &File) -> PathBuf {
    Path::new("/proc").join(std::process::id().to_string()).join("fd").join(file.as_raw_fd().to_string())
}
