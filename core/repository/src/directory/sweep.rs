//! What dead runs left: hidden files of this database's archives and records.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use catalog::{BackupId, Part};
use jiff::Timestamp;

use super::partial::{self, Writer};
use super::{Directory, object, off_runtime, sidecar};
use crate::{Error, Leftover, Swept};

impl Directory {
    /// Removes what no run writes any more; the caller holds the database's lock, or names an age after which nobody does.
    pub(crate) async fn sweep_partials(
        &self,
        database: &str,
        now: Timestamp,
        older_than: Duration,
    ) -> Result<Swept, Error> {
        let (directory, database) = (self.clone(), database.to_owned());
        off_runtime(move || directory.sweep_blocking(&database, now, older_than)).await
    }

    /// This database's hidden files that were to become an archive or a record.
    pub(crate) async fn leftovers(&self, database: &str) -> Result<Vec<Leftover>, Error> {
        let (directory, database) = (self.clone(), database.to_owned());
        off_runtime(move || {
            let names = directory.names()?;
            Ok(names.iter().filter_map(|name| directory.leftover(name, &database)).collect())
        })
        .await
    }

    fn sweep_blocking(&self, database: &str, now: Timestamp, older_than: Duration) -> Result<Swept, Error> {
        let (mut swept, mut marks) = (Swept::default(), Vec::new());
        for name in self.names()? {
            if let Some(leftover) = self.leftover(&name, database) {
                let is_gone = self.sweep_partial(&self.path.join(&name), now, older_than);
                if is_gone { &mut swept.gone } else { &mut swept.stays }.push(leftover);
            } else if let Some(archive) = sidecar::archive_of(&name)
                && self.backup_at(archive).is_some_and(|id| id.stem.database() == database)
            {
                marks.push(archive.to_owned());
            }
        }
        for archive in marks {
            swept.marks += usize::from(self.sweep_sidecar(&archive)?);
        }
        Ok(swept)
    }

    /// All names; a folder that isn't there has none.
    pub(super) fn names(&self) -> Result<Vec<OsString>, Error> {
        let failed = |error| Error::io(&*self.path, error);
        let rows = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            rows => rows.map_err(failed)?,
        };
        rows.map(|row| Ok(row.map_err(failed)?.file_name())).collect()
    }

    /// A hidden file of this database that was to become something else; `None` for all others, and for one that is gone again.
    fn leftover(&self, name: &OsStr, database: &str) -> Option<Leftover> {
        let id = self.backup_at(partial::intended_name(name)?).filter(|id| id.stem.database() == database)?;
        let path = self.path.join(name);
        let file = object(String::new(), &path, &fs::metadata(&path).ok()?).ok()?;
        Some(Leftover { name: path.display().to_string(), id, since: file.last_modified })
    }

    /// Where locks can't tell whether somebody writes it, its age does: who writes changes it all the time.
    fn sweep_partial(&self, path: &Path, now: Timestamp, older_than: Duration) -> bool {
        match partial::sweep(path) {
            Writer::Alive => false,
            Writer::Swept => true,
            Writer::Unknown => is_older(path, now, older_than) && fs::remove_file(path).is_ok(),
        }
    }

    /// Metadata is of use while its archive is written, and from then on until there is a manifest. An upload has its partial
    /// file before its metadata, and until the archive shows: they are looked for in this order. Where a removal was cut short,
    /// it is finished.
    fn sweep_sidecar(&self, archive: &str) -> Result<bool, Error> {
        let is_its = |name: &OsString| partial::intended_name(name).is_some_and(|start| archive.starts_with(start));
        if self.partials()?.iter().any(is_its) {
            return Ok(false);
        }
        let path = self.path_of(archive);
        let has_manifest = self.backup_of(archive).is_some_and(|id| self.path_of(&self.layout.manifest(&id)).exists());
        if path.exists() && !has_manifest {
            let is_removed = self.read_sidecar(archive)?.contains_key(sidecar::REMOVED);
            if !is_removed || fs::remove_file(&path).is_err() {
                return Ok(false);
            }
        }
        Ok(fs::remove_file(self.sidecar_path(archive)).is_ok())
    }

    pub(super) fn partials(&self) -> Result<Vec<OsString>, Error> {
        let rows = fs::read_dir(&self.path).map_err(|error| Error::io(&*self.path, error))?;
        let names = rows.flatten().map(|row| row.file_name());
        Ok(names.filter(|name| partial::intended_name(name).is_some()).collect())
    }

    /// The backup that a file of this name is of.
    fn backup_at(&self, name: &str) -> Option<BackupId> {
        match self.layout.parse(name) {
            Part::Archive { id, .. } | Part::Record { id, .. } => Some(id),
            _ => None,
        }
    }
}

fn is_older(path: &Path, now: Timestamp, than: Duration) -> bool {
    let Ok(Ok(file)) = fs::metadata(path).map(|metadata| object(String::new(), path, &metadata)) else { return false };
    Duration::try_from(now.duration_since(file.last_modified)).unwrap_or(Duration::ZERO) >= than
}
