//! User metadata of an archive, which a bucket keeps with the object: `.{archive}.metadata`, one `name=value` a line.
//! It is on the disk before the archive shows and goes with the manifest's coming, or with the archive.
//!
//! When a backup is removed, its manifest becomes this file, which takes no room on a full disk: an archive that a kill left
//! behind is known as one of ours, and that it was to go.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use catalog::{BackupId, Part, Record};

use super::Directory;
use super::partial::Partial;
use crate::Error;
use crate::metadata::LASTGOOD_ID;

const SUFFIX: &str = ".metadata";
/// Among the metadata of an archive whose removal has begun.
pub(crate) const REMOVED: &str = "removed";

/// The archive that a metadata file is about; `None` for files of other kinds.
pub(crate) fn archive_of(hidden: &OsStr) -> Option<&str> {
    hidden.to_str()?.strip_prefix('.')?.strip_suffix(SUFFIX)
}

impl Directory {
    pub(crate) fn sidecar_path(&self, key: &str) -> PathBuf {
        self.path_of(&format!(".{key}{SUFFIX}"))
    }

    /// Values are percent-encoded already: none holds a line's end.
    pub(crate) fn write_sidecar(&self, key: &str, pairs: &[(String, String)]) -> Result<(), Error> {
        let path = self.sidecar_path(key);
        let mut partial = Partial::create(&self.path, key)?;
        let text: String = pairs.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        partial.file.write_all(text.as_bytes()).map_err(|error| Error::io(&path, error))?;
        partial.publish_over(&path)
    }

    pub(crate) fn read_sidecar(&self, key: &str) -> Result<BTreeMap<String, String>, Error> {
        let path = self.sidecar_path(key);
        match fs::read_to_string(&path) {
            Ok(text) if text.starts_with('{') => {
                Ok([LASTGOOD_ID, REMOVED].map(|name| (name.to_owned(), REMOVED.to_owned())).into())
            }
            Ok(text) => Ok(text.lines().filter_map(|line| line.split_once('=')).map(owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(Error::io(path, error)),
        }
    }

    /// Begins to remove a backup: what said that it is one now says that its archive was to go.
    pub(crate) fn unmake(&self, manifest: &str, archive: &str) -> io::Result<()> {
        fs::rename(self.path_of(manifest), self.sidecar_path(archive))
    }

    pub(crate) fn remove_sidecar(&self, key: &str) {
        // One that stays only keeps saying who made an archive; the next sweep takes it.
        drop(fs::remove_file(self.sidecar_path(key)));
    }

    /// With its manifest a backup is finished: what told it from a guest has done its work.
    pub(crate) fn drop_sidecars_of_manifest(&self, key: &str) {
        let Part::Record { id, record: Record::Manifest } = self.layout.parse(key) else { return };
        let Ok(rows) = fs::read_dir(&self.path) else { return };
        for row in rows.flatten() {
            if archive_of(&row.file_name()).is_some_and(|archive| self.backup_of(archive).as_ref() == Some(&id)) {
                drop(fs::remove_file(row.path()));
            }
        }
    }

    /// The backup that an archive's name belongs to.
    pub(crate) fn backup_of(&self, archive: &str) -> Option<BackupId> {
        match self.layout.parse(archive) {
            Part::Archive { id, .. } => Some(id),
            _ => None,
        }
    }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
