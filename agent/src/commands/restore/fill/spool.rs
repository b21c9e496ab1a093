//! Temporary files, in which the rows of one table wait while those of others are being restored.
//!
//! They have no names, so that nothing is left of them however the restore ends.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::space;

/// The folder for temporary files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpoolFolder {
    pub(crate) path: PathBuf,
    /// Bytes that may be written there; `None` where that cannot be asked.
    pub(crate) free: Option<u64>,
}

impl SpoolFolder {
    /// Looks at `path`.
    pub(crate) fn at(path: &Path) -> Self {
        Self { free: space::free(path), path: path.to_owned() }
    }
}

/// An empty file without a name.
///
/// # Errors
/// Exit 1 when the folder takes none.
pub(super) fn create(folder: &Path) -> Result<File, Failure> {
    tempfile::tempfile_in(folder).map_err(|e| unwritable(&e, folder))
}

/// The path by which a child process opens a file without a name.
pub(super) fn path_of(file: &File) -> PathBuf {
    Path::new("/proc").join(std::process::id().to_string()).join("fd").join(file.as_raw_fd().to_string())
}

/// A temporary file that cannot be made or has no room.
pub(super) fn unwritable(error: &io::Error, folder: &Path) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write a temporary file in {}: {error}", folder.display()))
        .hint("set TMPDIR to a folder with room for the whole dump, or restore with --jobs 1")
}

/// A temporary file that cannot be read back.
pub(super) fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot read a temporary file back: {error}"))
}
