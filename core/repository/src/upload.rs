//! An archive being stored, in a bucket or a directory.

use std::fs::File;

use archive::Digest;
use bytes::Bytes;

use crate::directory::upload::DirectoryUpload;
use crate::s3::upload::BucketUpload;
use crate::{Bucket, Error, Stored, UploadMetadata};

/// An archive on its way; nothing is visible before [`Upload::complete`].
///
/// Every failure cleans up after itself. Who gives up for other reasons calls [`Upload::abort`]; a dropped upload is
/// aborted in the background, which a process that ends may not live to see.
#[derive(Debug)]
#[must_use]
pub struct Upload(Way);

#[derive(Debug)]
enum Way {
    Bucket(Box<BucketUpload>),
    Directory(Box<DirectoryUpload>),
}

/// What an upload goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// Nothing was left of another one.
    Nothing,
    /// So many bytes were sent before, if they turn out to be the same.
    Bytes(u64),
    /// This identity may not list uploads: it begins at the front.
    Unknown,
}

impl Upload {
    pub(crate) fn to_bucket(bucket: Bucket, key: &str, metadata: &UploadMetadata) -> Self {
        Self(Way::Bucket(Box::new(BucketUpload::new(bucket, key, metadata))))
    }

    pub(crate) fn to_directory(upload: DirectoryUpload) -> Self {
        Self(Way::Directory(Box::new(upload)))
    }

    /// Takes the next bytes; waits while memory's bound is reached. After an error the caller aborts, or drops, the upload.
    ///
    /// # Errors
    /// Of this or an earlier part.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        match &mut self.0 {
            Way::Bucket(upload) => upload.write(bytes).await,
            Way::Directory(upload) => upload.write(bytes).await,
        }
    }

    /// The file that grows in a directory, to be read while it is written; `None` in a bucket, and where it can't be opened.
    #[must_use]
    pub fn file(&self) -> Option<File> {
        match &self.0 {
            Way::Bucket(_) => None,
            Way::Directory(upload) => upload.file(),
        }
    }

    /// Makes the archive visible under its key, provided that nothing has it and that what was written is what `digest`
    /// was taken of. After an error nothing of the upload is left.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::Conflict`], which asks for the whole backup again; those of the store.
    pub async fn complete(self, digest: &Digest) -> Result<Stored, Error> {
        match self.0 {
            Way::Bucket(mut upload) => upload.complete(digest).await,
            Way::Directory(upload) => upload.complete(digest).await,
        }
    }

    /// Ends without an archive, and leaves what was sent, if it was begun by [`crate::Repository::resume_upload`] in a bucket: the next such
    /// upload goes on with it. Any other is aborted.
    pub async fn leave(self) {
        match self.0 {
            Way::Bucket(mut upload) => upload.leave().await,
            Way::Directory(upload) => upload.abort().await,
        }
    }

    /// Goes on with what one that was broken off has sent.
    pub(crate) async fn resume(&mut self) -> Result<Resumed, Error> {
        let Way::Bucket(upload) = &mut self.0 else { return Ok(Resumed::Nothing) };
        match upload.resume().await {
            Ok(0) => Ok(Resumed::Nothing),
            Ok(bytes) => Ok(Resumed::Bytes(bytes)),
            Err(Error::AccessDenied { .. }) => Ok(Resumed::Unknown),
            Err(error) => Err(error),
        }
    }

    /// Gives up, and removes what was stored so far. What can't be removed is logged.
    pub async fn abort(self) {
        match self.0 {
            Way::Bucket(mut upload) => upload.abort().await,
            Way::Directory(upload) => upload.abort().await,
        }
    }
}
