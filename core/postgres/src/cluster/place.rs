//! The folder of a private server, and the lock that says that its drill lives.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::error::ClusterError;
use super::user::User;

/// How the names begin of all that is ours there.
pub(super) const PREFIX: &str = "lastgood-drill-";
pub(super) const LOCK: &str = ".lock";
/// Bytes of a socket's path (`sun_path`), without the zero at its end.
const LONGEST: usize = 107;
const SOCKET: &str = "/.s.PGSQL.5432";
/// How many names are tried.
const TRIES: u32 = 20;

/// A folder of a private server's own.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl Place {
    /// Makes one below `base`, whose owner `user` is.
    pub(super) fn make(base: &Path, user: &User) -> Result<Self, ClusterError> {
        let failed =
            |cause: io::Error| ClusterError::Place { folder: base.display().to_string(), cause: cause.to_string() };
        let base_path = std::fs::canonicalize(base).map_err(failed)?;
        let place = Self::lock(&base_path).map_err(failed)?;
        if place.folder.as_os_str().len() + SOCKET.len() > LONGEST {
            place.remove();
            return Err(ClusterError::TooLong { folder: base.display().to_string(), most: LONGEST });
        }
        let made = DirBuilder::new().mode(0o700).create(&place.folder).and_then(|()| user.own(&place.folder));
        if let Err(error) = made {
            place.remove();
            return Err(failed(error));
        }
        Ok(place)
    }

    /// A name that is free, and its lock.
    fn lock(base: &Path) -> io::Result<Self> {
        for number in 0..TRIES {
            let name = format!("{PREFIX}{}-{:x}", std::process::id(), moment().wrapping_add(number.into()));
            let lock = base.join(format!("{name}{LOCK}"));
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600);
            let held = match options.open(&lock) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // Another drill may have taken it for a dead one's before it was locked, and removed it.
            let is_locked =
                flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok() && held.metadata()?.nlink() > 0;
            if is_locked {
                return Ok(Self { folder: base.join(name), lock, _held: held });
            }
        }
        Err(io::Error::other("no name is free"))
    }

    /// One that a drill left behind, now ours; nothing where its drill lives, or somebody else made it.
    pub(super) fn of_dead(lock: &Path) -> Option<Self> {
        let name = lock.file_name()?.to_str()?.strip_suffix(LOCK)?;
        let folder = lock.with_file_name(name);
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let held = OpenOptions::new().read(true).write(true).custom_flags(flags).open(lock).ok()?;
        let metadata = held.metadata().ok()?;
        let is_ours = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
        let is_dead = is_ours && flock(&held, FlockOperation::NonBlockingLockExclusive).is_ok();
        is_dead.then(|| Self { folder, lock: lock.to_owned(), _held: held })
    }

    /// The cluster's own folder.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Removes the folder, then the lock. What a server that has just ended still writes may take a moment.
    pub(super) fn remove(&self) {
        for _ in 0..TRIES {
            match std::fs::remove_dir_all(&self.folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => tracing::debug!("{error}"),
                _ => break,
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        if self.folder.exists() {
            tracing::error!("cannot remove {}; the next drill tries again", self.folder.display());
            return;
        }
        let _ = std::fs::remove_file(&self.lock);
    }
}

fn moment() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}
