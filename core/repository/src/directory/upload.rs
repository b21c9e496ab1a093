//! An archive on its way into a directory.

use std::fs::File;
use std::io::Write;

use archive::{Crc64, Digest};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use tokio::task::JoinHandle;

use super::partial::Partial;
use super::{Directory, off_runtime, outcome};
use crate::{Error, Stored, UploadMetadata};

/// A hidden file that grows. Dropped without `complete`, it and its metadata are gone.
#[derive(Debug)]
pub(crate) struct DirectoryUpload {
    directory: Directory,
    key: String,
    /// Away while a thread writes to it; for good after a failure.
    staged: Option<Staged>,
    /// The thread that has it. Who stops waiting for a write doesn't stop the thread.
    writing: Option<JoinHandle<Result<Staged, Error>>>,
}

struct Staged {
    partial: Partial,
    crc: Crc,
    size: u64,
    _sidecar: Sidecar,
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged").field("partial", &self.partial).field("size", &self.size).finish_non_exhaustive()
    }
}

/// The metadata file of an archive that isn't there yet.
struct Sidecar {
    directory: Directory,
    key: String,
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        if !self.directory.path_of(&self.key).exists() {
            self.directory.remove_sidecar(&self.key);
        }
    }
}

impl Directory {
    pub(crate) async fn start_upload(&self, key: &str, metadata: &UploadMetadata) -> Result<DirectoryUpload, Error> {
        let (directory, name, pairs) = (self.clone(), key.to_owned(), metadata.pairs());
        let staged = off_runtime(move || directory.stage(&name, &pairs)).await?;
        Ok(DirectoryUpload { directory: self.clone(), key: key.to_owned(), staged: Some(staged), writing: None })
    }

    fn stage(&self, key: &str, pairs: &[(String, String)]) -> Result<Staged, Error> {
        let path = self.path_of(key);
        if path.symlink_metadata().is_ok() {
            return Err(Error::Exists { object: path.display().to_string() });
        }
        let folder = self.make_folder(key)?;
        // First, so that metadata without an archive and without this file is a dead run's.
        let partial = Partial::create(&folder, key)?;
        self.write_sidecar(key, pairs)?;
        let sidecar = Sidecar { directory: self.clone(), key: key.to_owned() };
        Ok(Staged { partial, crc: Crc::new(CrcAlgorithm::Crc64Nvme), size: 0, _sidecar: sidecar })
    }
}

impl DirectoryUpload {
    /// What is written so far, for reading. It outlives the file's name.
    pub(crate) fn file(&self) -> Option<File> {
        File::open(&self.staged.as_ref()?.partial.path).ok()
    }

    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let staged = self.take_staged()?;
        let thread = self.writing.insert(tokio::task::spawn_blocking(move || staged.append(&bytes)));
        let written = thread.await;
        self.writing = None;
        self.staged = Some(outcome(written)?);
        Ok(())
    }

    pub(crate) async fn complete(mut self, digest: &Digest) -> Result<Stored, Error> {
        let staged = self.take_staged()?;
        let (directory, key, digest) = (self.directory.clone(), self.key.clone(), digest.clone());
        off_runtime(move || {
            staged.compare_sent(&directory, &key, &digest)?;
            let published = staged.partial.publish_new(&directory.path_of(&key));
            if let Err(Error::Exists { .. }) = published {
                // What has the name is not ours, and must not look so.
                directory.remove_sidecar(&key);
            }
            published?;
            Ok(Stored { key, version_id: None, etag: None, size: digest.size, crc64nvme: Some(digest.crc64nvme) })
        })
        .await
    }

    /// Waits for a write that nobody has waited for, so that nothing is left when this returns.
    pub(crate) async fn abort(mut self) {
        if let Some(thread) = self.writing.take() {
            self.staged = outcome(thread.await).ok();
        }
        if let Some(staged) = self.staged.take() {
            drop(
                off_runtime(move || {
                    drop(staged);
                    Ok(())
                })
                .await,
            );
        }
    }

    fn take_staged(&mut self) -> Result<Staged, Error> {
        let gone = || Error::UploadGone { object: self.directory.path_of(&self.key).display().to_string() };
        self.staged.take().ok_or_else(gone)
    }
}

impl Staged {
    fn append(mut self, bytes: &[u8]) -> Result<Self, Error> {
        self.partial.file.write_all(bytes).map_err(|error| Error::io(&self.partial.path, error))?;
        self.crc.update(bytes);
        self.size += bytes.len() as u64;
        Ok(self)
    }

    /// The digest was taken by another hand, of the same bytes: a difference is a fault in this program or machine.
    fn compare_sent(&self, directory: &Directory, key: &str, digest: &Digest) -> Result<(), Error> {
        let crc = Crc64(self.crc.finalize());
        if self.size == digest.size && crc == digest.crc64nvme {
            return Ok(());
        }
        let digested = format!("{} bytes with CRC64NVME {} were digested", digest.size, digest.crc64nvme);
        let cause = format!("{} bytes with CRC64NVME {crc} were written, {digested}", self.size);
        Err(Error::Checksum { object: directory.path_of(key).display().to_string(), cause })
    }
}
