//! What dead runs left: hidden files of this database's archives and records.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use catalog::Part;
use jiff::Timestamp;

use super::{Directory, object, off_runtime, partial, sidecar};
use crate::Error;

impl Directory {
    /// The caller holds the database's lock, so no other run writes what is swept.
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
        let mut swept = 0;
        for row in rows {
            let row = row.map_err(failed)?;
            let name = row.file_name();
            let is_left_over = match (partial::intended_name(&name), sidecar::archive_of(&name)) {
                (Some(intended), _) => self.belongs_to(intended, database),
                (None, Some(archive)) => self.belongs_to(archive, database) && !self.path_of(archive).exists(),
                (None, None) => false,
            };
            if is_left_over && is_older(&row.path(), now, older_than) && fs::remove_file(row.path()).is_ok() {
                swept += 1;
            }
        }
        Ok(swept)
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
