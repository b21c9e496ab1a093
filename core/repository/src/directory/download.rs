//! A file read in order, as it was listed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use catalog::Object;

use super::{Directory, object, off_runtime};
use crate::Error;

/// Bytes read at once.
const BLOCK: u64 = 1 << 20;

/// An open file and what is still to come of it.
pub(crate) struct FileDownload {
    path: PathBuf,
    /// Away while a thread reads; for good after a failure.
    file: Option<File>,
    left: u64,
}

impl Directory {
    pub(crate) async fn download(&self, listed: &Object, wanted: Range<u64>) -> Result<FileDownload, Error> {
        let (path, listed) = (self.path_of(&listed.key), listed.clone());
        off_runtime(move || {
            let failed = |error| Error::io(&path, error);
            let mut file = File::open(&path).map_err(failed)?;
            let opened = object(listed.key.clone(), &path, &file.metadata().map_err(failed)?)?;
            if (opened.size, opened.last_modified) != (listed.size, listed.last_modified) {
                return Err(Error::Changed { object: path.display().to_string() });
            }
            let end = wanted.end.min(listed.size);
            let from = file.seek(SeekFrom::Start(wanted.start.min(end))).map_err(failed)?;
            Ok(FileDownload { path, file: Some(file), left: end - from })
        })
        .await
    }
}

impl FileDownload {
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let changed = || Error::Changed { object: self.path.display().to_string() };
        if self.left == 0 {
            return Ok(None);
        }
        let (file, path, wanted) = (self.file.take().ok_or_else(changed)?, self.path.clone(), self.left.min(BLOCK));
        let (file, bytes) = off_runtime(move || read_block(file, wanted, path)).await?;
        self.file = Some(file);
        if bytes.is_empty() {
            return Err(Error::Changed { object: self.path.display().to_string() });
        }
        self.left -= bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// The file at its place, and the bytes still to come.
    pub(crate) fn into_file(self) -> (Option<File>, u64) {
        (self.file, self.left)
    }
}

fn read_block(mut file: File, wanted: u64, path: PathBuf) -> Result<(File, Bytes), Error> {
    let mut bytes = BytesMut::zeroed(usize::try_from(wanted).unwrap_or(usize::MAX));
    let read = file.read(&mut bytes).map_err(|error| Error::io(path, error))?;
    bytes.truncate(read);
    Ok((file, bytes.freeze()))
}
