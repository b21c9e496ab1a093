//! One backup of a database at a time.
//!
//! The kernel holds the lock (`flock`) and gives it back when its holder ends, however it ends: there is no stale lock to
//! find and remove, which once stopped somebody's backups for two months.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::failure::{Exit, Failure};

/// The right to back up one database, until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock for backups of `name` (a database as keys spell it) in `folder`, without waiting.
    ///
    /// # Errors
    /// Exit 3 when another run holds it, naming its process; exit 1 when the lock file can't be made.
    pub(crate) fn take(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::hold(&folder.join(format!("lastgood-{name}.lock")), &format!("a backup of {name}"))
    }

    /// Takes the lock for restores of `name` likewise. Backups may go on meanwhile: one that a restore cuts off fails whole.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(crate) fn for_restore(folder: &Path, name: &str) -> Result<Self, Failure> {
        Self::hold(&folder.join(format!("lastgood-{name}.restore.lock")), &format!("a restore of {name}"))
    }

    fn hold(path: &Path, run: &str) -> Result<Self, Failure> {
        let mut file = open(path).map_err(|e| {
            Failure::new(Exit::Failed, format!("can't open the lock file {}: {e}", path.display()))
                .hint("name a folder this user may write to with BACKUP_LOCK_DIR")
        })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(held(file, path, run)),
            Err(e) => {
                return Err(Failure::new(Exit::Failed, format!("can't lock {}: {e}", path.display()))
                    .hint("name a folder on a local disk with BACKUP_LOCK_DIR"));
            }
        }
        // Who holds it, for the one who is refused; the lock itself doesn't depend on it.
        let _ = file.set_len(0).and_then(|()| file.rewind());
        let _ = write!(file, "{}", std::process::id());
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    // Never truncated on opening: the holder's process id is in it.
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn held(mut file: File, path: &Path, run: &str) -> Failure {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let holder = if holder.is_empty() { "another process".to_owned() } else { format!("process {holder}") };
    Failure::new(Exit::Locked, format!("{run} is already running: {holder} holds {}", path.display()))
        .hint("let it end; if it hangs, end that process, and the lock is free at once")
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
    fn a_folder_that_is_missing_is_a_failure_with_a_way_out() {
        let refused = Lock::take(Path::new("/nonexistent"), "app").unwrap_err();
        assert_eq!(refused.exit, Exit::Failed);
        assert!(refused.to_string().contains("BACKUP_LOCK_DIR"));
    }
}
