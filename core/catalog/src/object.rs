//! One row of a listing: an object of a bucket, or a file of a directory.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a listing says about one object. Nothing here needs the object itself to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// The whole key, with the repository's prefix; in a directory the path below it, parted by `/`.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written. For a multipart upload S3 says when the upload *began*.
    pub last_modified: Timestamp,
    /// As S3 gives it, with or without its quotes. An MD5 only for some objects; always of one version's bytes.
    pub etag: Option<String>,
    /// None where the listing doesn't tell, or the repository keeps no versions.
    pub version_id: Option<String>,
    /// False when its bytes must first be brought back from an archive storage class, such as Glacier.
    pub readable: bool,
}

impl Object {
    /// The `ETag` without the quotes HTTP puts around it.
    #[must_use]
    pub fn bare_etag(&self) -> Option<&str> {
        self.etag.as_deref().map(bare_etag)
    }

    /// The version, where it pins one. `null` is what an unversioned bucket says of every object in turn.
    #[must_use]
    pub fn pinned_version(&self) -> Option<&str> {
        self.version_id.as_deref().filter(|version| is_pinned(version))
    }
}

pub(crate) fn bare_etag(etag: &str) -> &str {
    etag.trim_matches('"')
}

pub(crate) fn is_pinned(version: &str) -> bool {
    !version.is_empty() && version != "null"
}
