//! A file that is not there yet: hidden, for the owner alone, and gone when it is dropped. Whoever writes one holds its lock
//! (`flock(2)`), which ends with the process, however that ends: a file whose lock is free is a dead run's.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::sync_folder;
use crate::Error;

const FILE_MODE: u32 = 0o600;
pub(crate) const SUFFIX: &str = ".partial";
/// The longest file name (Linux).
const LONGEST_NAME: usize = 255;

/// A file being written.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
}

impl Partial {
    /// Makes `.{name}.{random}.partial` in a directory, and holds its lock.
    pub(crate) fn create(folder: &Path, name: &str) -> Result<Self, Error> {
        loop {
            let path = folder.join(hidden_name(name, rand::random()));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(FILE_MODE);
            let file = options.open(&path).map_err(|error| Error::io(&path, error))?;
            let partial = Self { file, path };
            // Some file systems have no locks: there, age tells.
            drop(partial.file.lock());
            // A sweep that came between the two took it for a dead run's.
            let links = partial.file.metadata().map_err(|error| Error::io(&partial.path, error))?.nlink();
            if links > 0 {
                return Ok(partial);
            }
        }
    }

    /// Gives the file its name, which nothing may have, and which then outlives a crash.
    pub(crate) fn publish_new(self, path: &Path) -> Result<(), Error> {
        self.sync()?;
        match fs::hard_link(&self.path, path) {
            Ok(()) => {}
            // A network file system's client repeats a request whose answer was lost (open(2)).
            Err(error) if error.kind() == ErrorKind::AlreadyExists && self.is_at(path) => {}
            Err(error) if has_no_hard_links(&error) => self.rename_new(path)?,
            Err(error) => return Err(Error::io(path, error)),
        }
        // What is told as an error must not show: whoever put a manifest so takes its archive away.
        self.forget(path).inspect_err(|_| drop(fs::remove_file(path)))
    }

    /// Whether this very file has that name.
    fn is_at(&self, path: &Path) -> bool {
        let own = self.file.metadata().map(|own| (own.dev(), own.ino()));
        own.is_ok_and(|own| fs::symlink_metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == own))
    }

    /// For file systems without hard links (vfat, some network ones): a rename that refuses an existing name as well.
    fn rename_new(&self, path: &Path) -> Result<(), Error> {
        renameat_with(CWD, &self.path, CWD, path, RenameFlags::NOREPLACE).map_err(|error| Error::io(path, error.into()))
    }

    /// Gives the file its name, in place of what had it.
    pub(crate) fn publish_over(self, path: &Path) -> Result<(), Error> {
        self.sync()?;
        fs::rename(&self.path, path).map_err(|error| Error::io(path, error))?;
        self.forget(path)
    }

    fn sync(&self) -> Result<(), Error> {
        self.file.sync_all().map_err(|error| Error::io(&self.path, error))
    }

    fn forget(self, path: &Path) -> Result<(), Error> {
        drop(fs::remove_file(&self.path));
        sync_folder(path.parent().unwrap_or(path))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Usually renamed or removed already.
        drop(fs::remove_file(&self.path));
    }
}

fn has_no_hard_links(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::MLINK))
}

/// What became of the run that wrote a partial file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// It holds the lock.
    Alive,
    /// Nobody holds it: the file was removed.
    Swept,
    /// The file system has no locks, or the file can't be opened.
    Unknown,
}

/// Removes a partial file whose writer is dead. The lock is held meanwhile, so that who has just made the file sees that it is gone.
pub(crate) fn sweep(path: &Path) -> Writer {
    let Ok(file) = OpenOptions::new().write(true).open(path) else { return Writer::Unknown };
    match file.try_lock() {
        Ok(()) if fs::remove_file(path).is_ok() => Writer::Swept,
        Ok(()) | Err(TryLockError::Error(_)) => Writer::Unknown,
        Err(TryLockError::WouldBlock) => Writer::Alive,
    }
}

/// Long names lose their end: the random part makes them unique all the same.
fn hidden_name(name: &str, unique: u32) -> String {
    let end = format!(".{unique:08x}{SUFFIX}");
    let mut length = name.len().min(LONGEST_NAME - 1 - end.len());
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    format!(".{}{end}", name.split_at(length).0)
}

/// The name that a partial file was to have; `None` for files of other kinds.
pub(crate) fn intended_name(hidden: &OsStr) -> Option<&str> {
    let name = hidden.to_str()?.strip_prefix('.')?.strip_suffix(SUFFIX)?;
    name.rsplit_once('.').map(|(name, _unique)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_an_unanswered_request_has_given_already_is_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("name");
        let partial = Partial::create(folder.path(), "name").unwrap();
        fs::hard_link(&partial.path, &name).unwrap();
        partial.publish_new(&name).unwrap();
        let other = Partial::create(folder.path(), "name").unwrap();
        assert!(matches!(other.publish_new(&name), Err(Error::Exists { .. } | Error::Io { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn hidden_names_fit_and_can_be_read_back() {
        let hidden = hidden_name("app_backup_x.sql.gz", 7);
        assert_eq!(hidden, ".app_backup_x.sql.gz.00000007.partial");
        assert_eq!(intended_name(OsStr::new(&hidden)), Some("app_backup_x.sql.gz"));
        assert!(hidden_name(&"é".repeat(200), 7).len() <= LONGEST_NAME);
        assert_eq!(intended_name(OsStr::new(".app_backup_x.sql.gz.metadata")), None);
    }
}
