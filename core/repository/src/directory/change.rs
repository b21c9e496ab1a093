//! A file that several may change: one after the other.

use std::fs::{self, File};
use std::io;

use bytes::Bytes;

use super::{Directory, off_runtime};
use crate::Error;

impl Directory {
    /// Writes what `change` makes of a record, in its place; nothing where it makes nothing. Its folder is locked meanwhile, and the
    /// lock ends with the process. File systems without locks have none.
    pub(crate) async fn change(
        &self,
        key: &str,
        change: impl FnOnce(Option<Bytes>) -> Result<Option<Vec<u8>>, Error> + Send + 'static,
    ) -> Result<bool, Error> {
        let (directory, key) = (self.clone(), key.to_owned());
        off_runtime(move || {
            let folder = directory.make_folder(&key)?;
            let lock = File::open(&folder).map_err(|error| Error::io(&folder, error))?;
            drop(lock.lock());
            let path = directory.path_of(&key);
            let there = match fs::exists(&path) {
                Ok(true) => Some(directory.read_blocking(&key)?),
                Ok(false) => None,
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(Error::io(&path, error)),
            };
            let Some(bytes) = change(there)? else { return Ok(false) };
            directory.sweep_same(&key);
            directory.stage_record(&key, &bytes)?.publish_over(&path)?;
            Ok(true)
        })
        .await
    }
}
