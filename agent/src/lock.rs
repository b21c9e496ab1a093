//! One backup of a database at a time.
//!
//! The kernel holds the lock (`flock`) and releases it when its holder ends, however it ends: there is no stale lock to find
//! and remove. One of those once stopped a company's backups for two months.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::answers::failure::{Exit, Failure};

/// The right to back up one database, until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock for backups of `name` (a database as keys spell it) in `folder`, without waiting.
    ///
    /// # Errors
    /// Exit 3 when another run holds it, naming its process; exit 1 when the lock file cannot be created.
    pub(crate) fn take(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::hold(&folder.join(format!("lastgood-{name}.lock")), &format!("a backup of {name}"))
    }

    /// Takes the lock for restores of `name` in `folder`, without waiting. Backups may run meanwhile: one that a restore
    /// cuts off fails as a whole.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn for_restore(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::hold(&folder.join(format!("lastgood-{name}.restore.lock")), &format!("a restore of {name}"))
    }

    /// Takes the lock for drills of `name` in `folder`, without waiting. Backups and restores may run meanwhile.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn for_drill(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::hold(&folder.join(format!("lastgood-{name}.drill.lock")), &format!("a drill of {name}"))
    }

    /// Takes the lock for copies of `name` in `folder`, without waiting. Everything else may run meanwhile.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn for_copy(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::hold(&folder.join(format!("lastgood-{name}.copy.lock")), &format!("a copy of backups of {name}"))
    }

    /// Takes the lock for erasures of `name` in `folder`, without waiting. Backups, restores and drills may run meanwhile.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn for_erasure(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::hold(&folder.join(format!("lastgood-{name}.erase.lock")), &format!("an erasure of {name}"))
    }

    fn hold(path: &Path, run: &str) -> Result<Self, Failure> {
        let file = open(path).map_err(|e| {
            Failure::new(Exit::Failed, format!("cannot open the lock file {}: {e}", path.display()))
                .hint("set BACKUP_LOCK_DIR to a folder that this user may write to, or remove the lock file if no run is using it")
        })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(held(&file, path, run)),
            Err(e) => Err(Failure::new(Exit::Failed, format!("cannot lock {}: {e}", path.display()))
                .hint("set BACKUP_LOCK_DIR to a folder on a local disk")),
        }
    }
}

/// Opens the lock file for reading, which is all that a lock needs: the file may be another user's, since root makes backups
/// by hand and `postgres` by night, and it stays when its holder ends. In a folder like `/run/lock` any user may have put
/// something else there: no link is followed, and no pipe is waited for.
fn open(path: &Path) -> io::Result<File> {
    let safely = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let existing = || OpenOptions::new().read(true).custom_flags(safely).open(path);
    let file = match existing() {
        // The kernel refuses to create what is there and another user's, so creating and opening are two things.
        Err(error) if error.kind() == io::ErrorKind::NotFound => match create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => existing(),
            created => created,
        },
        opened => opened,
    }?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
}

/// Creates the lock file readable for every user, whatever the umask says: otherwise others could not take the lock.
fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    Ok(file)
}

fn held(file: &File, path: &Path, run: &str) -> Failure {
    let holder = holder(file).map_or("another process".to_owned(), |holder| format!("process {holder}"));
    Failure::new(Exit::Locked, format!("{run} is already running: {holder} holds {}", path.display()))
        .hint("wait until it ends; if it hangs, end that process, which frees the lock at once")
}

/// The process that holds the lock, as the kernel tells: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:10070313 0 EOF`, the inode last in
/// the sixth word. It is only for the message; the lock itself does not depend on it.
fn holder(file: &File) -> Option<u32> {
    let inode = file.metadata().ok()?.ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, process, place, ..] = words.as_slice() else { return None };
        let is_it = place.rsplit(':').next() == Some(inode.as_str());
        process.parse().ok().filter(|process| is_it && *process != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_refused_until_the_first_ends_and_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), "app").unwrap();
        let refused = Lock::take(folder.path(), "app").unwrap_err();
        assert_eq!(refused.exit, Exit::Locked);
        assert!(refused.error.contains(&std::process::id().to_string()), "{refused}");
        Lock::take(folder.path(), "other").unwrap();
        drop(first);
        Lock::take(folder.path(), "app").unwrap();
    }

    #[test]
    fn a_file_is_made_for_everybody_and_one_that_cannot_be_written_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lastgood-app.lock");
        drop(Lock::take(folder.path(), "app").unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        std::fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
        Lock::take(folder.path(), "app").unwrap();
    }

    #[test]
    fn what_a_stranger_put_there_is_neither_followed_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        std::fs::write(&precious, "content").unwrap();
        std::os::unix::fs::symlink(&precious, folder.path().join("lastgood-app.lock")).unwrap();
        Lock::take(folder.path(), "app").unwrap_err();
        std::os::unix::fs::symlink(folder.path().join("absent"), folder.path().join("lastgood-new.lock")).unwrap();
        Lock::take(folder.path(), "new").unwrap_err();
        assert!(!folder.path().join("absent").exists());
        #[expect(clippy::disallowed_methods, reason = "a tool of the test's")]
        let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("lastgood-pipe.lock")).status().unwrap();
        assert!(pipe.success());
        Lock::take(folder.path(), "pipe").unwrap_err();
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "content");
    }

    #[test]
    fn a_folder_that_is_missing_is_a_failure_with_a_way_out() {
        let refused = Lock::take(Path::new("/nonexistent"), "app").unwrap_err();
        assert_eq!(refused.exit, Exit::Failed);
        assert!(refused.to_string().contains("BACKUP_LOCK_DIR"));
    }
}
