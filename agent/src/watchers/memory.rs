//! Which runs failed last time, so that the first one that succeeds again can be told: a file for each, which says whether the failure was
//! told.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What stands in the file once people know.
const TOLD: &[u8] = b"told\n";
/// Bytes of a path that a file's name has.
const ABOUT: usize = 100;

/// Where it is remembered that the last run of one command on one database failed.
#[derive(Clone, Debug)]
pub(super) struct Memory(PathBuf);

impl Memory {
    /// The file is made by the first failure. `about` tells runs apart that name the same database and mean others: by other settings,
    /// or in another place.
    pub(super) fn of(folder: &Path, command: &str, database: &str, about: &str) -> Self {
        let mut name = format!("{command}-{}", catalog::encode_database(database));
        if !about.is_empty() {
            let about = catalog::encode_database(about);
            // What differs is at the end of paths, and a name has 255 bytes.
            name = format!("{name}@{}", about.get(about.len().saturating_sub(ABOUT)..).unwrap_or_default());
        }
        Self(folder.join("failed").join(name))
    }

    /// Whether the last run failed.
    pub(super) fn failed(&self) -> bool {
        self.0.exists()
    }

    /// Whether a failure was told within this time.
    pub(super) fn told_within(&self, span: Duration) -> bool {
        let told = fs::metadata(&self.0).and_then(|file| file.modified());
        let is_told = fs::read(&self.0).is_ok_and(|text| text == TOLD);
        is_told && told.is_ok_and(|told| told.elapsed().is_ok_and(|ago| ago < span))
    }

    /// Remembers it.
    ///
    /// # Errors
    /// Those of the file system: nobody is told then when it succeeds again.
    pub(super) fn remember(&self) -> io::Result<()> {
        if let Some(folder) = self.0.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.0, "")
    }

    /// Remembers that people were told of it.
    ///
    /// # Errors
    /// Those of the file system: they are told once more then.
    pub(super) fn told(&self) -> io::Result<()> {
        fs::write(&self.0, TOLD)
    }

    /// Forgets it.
    ///
    /// # Errors
    /// Those of the file system: the next success is told once more then.
    pub(super) fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}
