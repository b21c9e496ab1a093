//! What dead runs left: hidden files of this database's archives and records.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use catalog::Part;
use jiff::Timestamp;

use super::partial::{self, Writer};
use super::{Directory, object, off_runtime, sidecar};
use crate::Error;

impl Directory {
    /// Removes what no run writes any more; the caller holds the database's lock. Returns how many files.
    pub(crate) async fn sweep_partials(
        &self,
        database: &str,
        now: Timestamp,
        older_than: Duration,
    ) -> Result<usize, Error> {
        let (directory, database) = (self.clone(), database.to_owned());
        off_runtime(move || directory.sweep_blocking(&database, now, older_than)).await
    }

    fn sweep_blocking(&self, database: &str, now: Timestamp, older_than: Duration) -> Result<usize, Error> {
        let failed = |error| Error::io(&*self.path, error);
        let rows = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            rows => rows.map_err(failed)?,
        };
        let (mut swept, mut marks) = (0, Vec::new());
        for row in rows {
            let row = row.map_err(failed)?;
            let name = row.file_name();
            if partial::intended_name(&name).is_some_and(|intended| self.belongs_to(intended, database)) {
                swept += usize::from(self.sweep_partial(&row.path(), now, older_than));
            } else if let Some(archive) = sidecar::archive_of(&name).filter(|it| self.belongs_to(it, database)) {
                marks.push(archive.to_owned());
            }
        }
        for archive in marks {
            swept += usize::from(self.sweep_sidecar(&archive)?);
        }
        Ok(swept)
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

    fn belongs_to(&self, name: &str, database: &str) -> bool {
        match self.layout.parse(name) {
            Part::Archive { id, .. } | Part::Record { id, .. } => id.stem.database() == database,
            _ => false,
        }
    }
}

fn is_older(path: &Path, now: Timestamp, than: Duration) -> bool {
    let Ok(Ok(file)) = fs::metadata(path).map(|metadata| object(String::new(), path, &metadata)) else { return false };
    Duration::try_from(now.duration_since(file.last_modified)).unwrap_or(Duration::ZERO) >= than
}
