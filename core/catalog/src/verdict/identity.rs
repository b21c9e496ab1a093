//! Which bytes a verdict is about, and what the store says of them.

use archive::{Crc64, Digest, Md5};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::object::{Object, bare_etag, is_pinned};

/// The bytes of one version of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The whole key. A repository that was copied elsewhere has others, so this alone tells nothing.
    pub key: String,
    /// The version, where the store keeps versions.
    pub version_id: Option<String>,
    /// The `ETag`, without quotes, where there is one.
    pub etag: Option<String>,
    /// Bytes, as the store lists them.
    pub size: u64,
    /// Of the bytes that were read.
    pub crc64nvme: Option<Crc64>,
}

/// What the store knows of an object's bytes besides their number: one HEAD tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// What the uploader said: the guide's scripts put an MD5 into the user metadata `md5_checksum`.
    pub metadata: Option<Md5>,
    /// What the store's `ETag` says, where it is an MD5.
    pub etag: Option<Md5>,
    /// The checksum the store took of the whole object.
    pub crc64nvme: Option<Crc64>,
}

impl Expected {
    /// Reads the texts of a HEAD. What isn't a digest of the whole object is left out: the `ETag` of a multipart upload,
    /// any `ETag` where objects are encrypted with a key of the customer's (`with_customer_key`: SSE-KMS, SSE-C), and a
    /// composite checksum.
    #[must_use]
    pub fn new(md5_checksum: Option<&str>, etag: Option<&str>, with_customer_key: bool, crc: Option<&str>) -> Self {
        Self {
            metadata: md5_checksum.and_then(|text| text.trim().parse().ok()),
            etag: etag.filter(|_| !with_customer_key).and_then(|etag| bare_etag(etag).parse().ok()),
            crc64nvme: crc.and_then(|text| text.parse().ok()),
        }
    }

    /// Whether anything was said that would prove the bytes.
    pub(super) fn is_proof(&self) -> bool {
        *self != Self::default()
    }
}

impl Identity {
    pub(super) fn read(object: &Object, digest: &Digest) -> Self {
        Self { crc64nvme: Some(digest.crc64nvme), ..Self::listed(object) }
    }

    pub(super) fn listed(object: &Object) -> Self {
        Self {
            key: object.key.clone(),
            version_id: object.version_id.clone(),
            etag: object.bare_etag().map(str::to_owned),
            size: object.size,
            crc64nvme: None,
        }
    }

    pub(super) fn promised(manifest: &Manifest) -> Self {
        let archive = &manifest.archive;
        Self {
            key: archive.key.clone(),
            version_id: archive.version_id.clone(),
            etag: archive.etag.clone(),
            size: archive.digest.size,
            crc64nvme: Some(archive.digest.crc64nvme),
        }
    }

    /// Versions decide where both are known, then `ETag`s; else the object must not have been written since.
    pub(super) fn is_of(&self, object: &Object, verified: Timestamp) -> bool {
        let version = self.version_id.as_deref().filter(|version| is_pinned(version));
        if self.key != object.key || self.size != object.size {
            return false;
        }
        match (version, object.pinned_version(), self.etag.as_deref(), object.bare_etag()) {
            (Some(mine), Some(its), _, _) | (_, _, Some(mine), Some(its)) => mine == its,
            _ => object.last_modified <= verified,
        }
    }
}
