//! A directory of this machine, holding the same objects as a bucket: files side by side under their keys.
//!
//! A file is written under a hidden name and linked to its own once it is whole and on the disk, so that neither a crash
//! nor a full disk shows half of one. What S3 keeps as user metadata lies in a hidden file beside the archive until its
//! manifest is there: an archive with it and without a manifest is one of ours that was never finished.

mod change;
pub(crate) mod download;
mod partial;
mod records;
mod sidecar;
mod sweep;
#[cfg(test)]
mod tests;
pub(crate) mod upload;

use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catalog::{Layout, Object, Part};
use jiff::Timestamp;
use rustix::fs::Access;
use tokio::task::JoinError;

use crate::{Error, Scope};

/// What is below it is for the owner alone: archives hold everything the database holds.
const DIRECTORY_MODE: u32 = 0o700;

/// A directory of backups.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(crate) path: Arc<Path>,
    pub(crate) layout: Arc<Layout>,
}

impl Directory {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into().into(), layout: Arc::new(Layout::directory()) }
    }

    pub(crate) fn display_name(&self) -> String {
        self.path.display().to_string()
    }

    /// The path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that holds a key's object.
    #[must_use]
    pub fn path_of(&self, key: &str) -> PathBuf {
        self.path.join(key)
    }

    /// The directory, or the nearest one above it that exists, can be written to.
    pub(crate) async fn check_access(&self) -> Result<(), Error> {
        let path = self.path.clone();
        off_runtime(move || {
            // A link that leads nowhere is there, and no folder can be made in its place.
            let is_there = |path: &&Path| path.symlink_metadata().is_ok();
            let existing = path.ancestors().find(is_there).unwrap_or(&path);
            rustix::fs::access(existing, Access::WRITE_OK | Access::EXEC_OK)
                .map_err(|error| Error::io(existing, error.into()))
        })
        .await
    }

    /// The directory itself exists.
    pub(crate) async fn check_exists(&self) -> Result<(), Error> {
        let path = self.path.clone();
        off_runtime(move || fs::read_dir(&path).map(drop).map_err(|error| Error::io(&*path, error))).await
    }

    pub(crate) async fn list(&self, scope: Scope) -> Result<Vec<Object>, Error> {
        let directory = self.clone();
        off_runtime(move || directory.list_blocking(scope)).await
    }

    fn list_blocking(&self, scope: Scope) -> Result<Vec<Object>, Error> {
        let mut objects = Vec::new();
        if scope != Scope::Databases {
            self.list_folder("", &mut objects)?;
        }
        if !matches!(scope, Scope::Day(_)) {
            self.list_folder(&self.layout.databases_prefix(), &mut objects)?;
        }
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    /// The names of folders that `pg_dump --format=directory` made.
    pub(crate) async fn dump_folders(&self) -> Result<Vec<String>, Error> {
        let path = self.path.clone();
        off_runtime(move || {
            let failed = |error| Error::io(&*path, error);
            let rows = match fs::read_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                rows => rows.map_err(failed)?,
            };
            let mut folders = Vec::new();
            for row in rows {
                let row = row.map_err(failed)?;
                let name = row.file_name().into_string().ok().filter(|name| !name.starts_with('.'));
                folders.extend(name.filter(|_| row.path().join("toc.dat").is_file()));
            }
            folders.sort();
            Ok(folders)
        })
        .await
    }

    /// The keys of the files in a folder, the hidden ones left out; one that isn't there has none.
    pub(crate) async fn files_below(&self, prefix: String) -> Result<Vec<String>, Error> {
        let folder = self.path.join(&prefix);
        off_runtime(move || {
            let rows = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                rows => rows.map_err(|error| Error::io(&folder, error))?,
            };
            let names = rows.flatten().filter_map(|row| row.file_name().into_string().ok());
            Ok(names.filter(|name| !name.starts_with('.')).map(|name| format!("{prefix}{name}")).collect())
        })
        .await
    }

    /// Files of known names; links are followed, and one that leads nowhere is nothing. A folder that nothing was stored
    /// in yet doesn't exist, and is empty.
    fn list_folder(&self, prefix: &str, objects: &mut Vec<Object>) -> Result<(), Error> {
        let folder = self.path.join(prefix);
        let failed = |error| Error::io(&folder, error);
        let rows = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            rows => rows.map_err(failed)?,
        };
        for row in rows {
            let row = row.map_err(failed)?;
            let Ok(name) = row.file_name().into_string() else { continue };
            let key = format!("{prefix}{name}");
            // The hidden files of uploads have endings that no key has. A dot alone hides nothing: `Übersicht` is `.C3.9Cbersicht` here.
            if self.layout.parse(&key) == Part::Foreign {
                continue;
            }
            match fs::metadata(row.path()) {
                Ok(metadata) if metadata.is_file() => objects.push(object(key, &row.path(), &metadata)?),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io(row.path(), error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes the directory that a key's file goes to.
    fn make_folder(&self, key: &str) -> Result<PathBuf, Error> {
        let path = self.path_of(key);
        let folder = path.parent().unwrap_or(&self.path).to_owned();
        let made = DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(&folder);
        made.map_err(|error| match error.kind() {
            // It is there, and is something else.
            io::ErrorKind::AlreadyExists => Error::io(&folder, io::ErrorKind::NotADirectory.into()),
            _ => Error::io(&folder, error),
        })?;
        Ok(folder)
    }
}

/// One row of a listing.
fn object(key: String, path: &Path, metadata: &Metadata) -> Result<Object, Error> {
    let modified = metadata.modified().map_err(|error| Error::io(path, error))?;
    let last_modified =
        Timestamp::try_from(modified).map_err(|error| Error::io(path, io::Error::other(error.to_string())))?;
    Ok(Object { key, size: metadata.len(), last_modified, etag: None, version_id: None, readable: true })
}

/// Makes names that were linked or unlinked in a directory outlive a crash.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Error::io(folder, error))
}

/// Disks block: their work is done on a thread made for it.
async fn off_runtime<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    outcome(tokio::task::spawn_blocking(work).await)
}

/// What such a thread came to.
fn outcome<T>(joined: Result<Result<T, Error>, JoinError>) -> Result<T, Error> {
    joined.unwrap_or_else(|error| Err(Error::Io { path: PathBuf::new(), source: io::Error::other(error) }))
}
