//! An archive being stored, in a bucket or a directory.

use archive::Digest;
use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{Bucket, Error, Stored, directory::upload::DirectoryUpload, s3::upload::BucketUpload};

/// The user metadata that tells our archives from guests; its value is unique to one upload.
pub const LASTGOOD_ID: &str = "lastgood-id";

/// Metadata travels in HTTP headers, which are ASCII.
const HEADER_UNSAFE: &AsciiSet = &CONTROLS.add(b'%');

/// What is said of an archive when its upload starts.
#[derive(Clone, Debug)]
pub struct UploadMetadata {
    /// Unique to this upload.
    pub lastgood_id: String,
    /// The PostgreSQL name.
    pub database: String,
    /// When the backup began.
    pub backup_date: Timestamp,
    /// An estimate of the archive's bytes, better too high than too low: parts of a fitting size keep memory small.
    pub expected_size: Option<u64>,
}

impl UploadMetadata {
    /// Names and values as the store keeps them; the database is percent-encoded outside ASCII.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let database = utf8_percent_encode(&self.database, HEADER_UNSAFE).to_string();
        vec![
            (LASTGOOD_ID.to_owned(), self.lastgood_id.clone()),
            ("backup_date".to_owned(), self.backup_date.to_string()),
            ("database".to_owned(), database),
        ]
    }
}

/// What an archive's name says about its bytes.
pub(crate) fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("gz") => "application/gzip",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}

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

    /// Gives up, and removes what was stored so far. What can't be removed is logged.
    pub async fn abort(self) {
        match self.0 {
            Way::Bucket(mut upload) => upload.abort().await,
            Way::Directory(upload) => upload.abort().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_ascii_and_readable() {
        let metadata = UploadMetadata {
            lastgood_id: "1".into(),
            database: "my café 100%".into(),
            backup_date: Timestamp::UNIX_EPOCH,
            expected_size: None,
        };
        let pairs = metadata.pairs();
        assert!(pairs.contains(&("database".into(), "my caf%C3%A9 100%25".into())));
        assert!(pairs.contains(&("backup_date".into(), "1970-01-01T00:00:00Z".into())));
    }

    #[test]
    fn an_encrypted_archive_is_no_gzip() {
        assert_eq!(content_type("b/x.sql.gz"), "application/gzip");
        assert_eq!(content_type("b/x.sql.zst"), "application/zstd");
        assert_eq!(content_type("b/x.sql.gz.age"), "application/octet-stream");
    }
}
