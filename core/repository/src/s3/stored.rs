//! Is what lies under a key what we were about to store? Asked after a 412 or a vanished upload: an earlier try of ours
//! may have landed although its answer was lost. The agent's identity may not read archives, so a HEAD that is
//! refused falls back to what a listing shows.

use archive::{Crc64, Digest};

use super::{Bucket, Call};
use crate::metadata::LASTGOOD_ID;
use crate::{Error, Stored};

/// What we know of our own bytes.
pub(crate) struct Ours<'a> {
    pub(crate) key: &'a str,
    pub(crate) digest: &'a Digest,
    /// The value of the `lastgood-id` metadata, unique to this upload.
    pub(crate) lastgood_id: Option<&'a str>,
    /// The ETag that our bytes get where no KMS encrypts them.
    pub(crate) etag: Option<String>,
    /// The store knows our multipart upload no more. It vanishes only when it is completed or aborted, and we didn't
    /// abort: an object of our size is ours.
    pub(crate) upload_is_gone: bool,
}

impl Bucket {
    /// `Some` when the object under the key is ours; `None` when it is another, or can't be told from another.
    pub(crate) async fn find_landed(&self, ours: &Ours<'_>) -> Result<Option<Stored>, Error> {
        match self.head_object(ours.key).await {
            Ok(None) => Ok(None),
            Ok(Some(head)) => {
                let same_size = head.object.size == ours.digest.size;
                let same_etag = head.object.etag.is_some() && head.object.etag == ours.etag;
                let same_bytes = same_etag || head.crc64nvme.is_some_and(|crc| crc == ours.digest.crc64nvme);
                let same_id = ours.lastgood_id.is_some_and(|id| head.lastgood_id() == Some(id));
                let stored = Stored {
                    key: ours.key.to_owned(),
                    version_id: head.object.version_id,
                    etag: head.object.etag,
                    size: head.object.size,
                    crc64nvme: head.crc64nvme,
                };
                Ok((same_size && (same_id || same_bytes)).then_some(stored))
            }
            Err(Error::AccessDenied { .. }) => self.find_landed_in_listing(ours).await,
            Err(error) => Err(error),
        }
    }

    async fn find_landed_in_listing(&self, ours: &Ours<'_>) -> Result<Option<Stored>, Error> {
        let Some(object) = self.find_listed(ours.key).await? else { return Ok(None) };
        let same_etag = object.etag.is_some() && object.etag == ours.etag;
        let same = object.size == ours.digest.size && (ours.upload_is_gone || same_etag);
        let stored = Stored {
            key: object.key,
            version_id: object.version_id,
            etag: object.etag,
            size: object.size,
            crc64nvme: None,
        };
        Ok(same.then_some(stored))
    }

    /// True when the store no longer knows the upload.
    pub(crate) async fn upload_is_gone(&self, key: &str, upload_id: &str) -> Result<bool, Error> {
        let parts = self.call(Call::new("s3:ListMultipartUploadParts", key), || {
            self.client.list_parts().bucket(&self.settings.bucket).key(key).upload_id(upload_id).max_parts(1).send()
        });
        match parts.await {
            Ok(_) => Ok(false),
            Err(Error::UploadGone { .. } | Error::NotFound { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The store's own checksum, where it is one of the whole object, must be ours.
    pub(crate) fn compare_checksum(&self, key: &str, theirs: Option<Crc64>, ours: Crc64) -> Result<(), Error> {
        match theirs {
            Some(theirs) if theirs != ours => {
                let cause = format!("CRC64NVME {theirs} stored, {ours} sent");
                Err(Error::Checksum { object: self.url(key), cause })
            }
            _ => Ok(()),
        }
    }
}

/// S3's text of a CRC64NVME; a composite one (`…-3`), which is not of the whole object, says nothing.
pub(crate) fn full_object_crc(text: Option<&str>) -> Option<Crc64> {
    text?.parse().ok()
}

/// ETags are quoted on the wire; catalogs and manifests keep them bare.
pub(crate) fn bare_etag(etag: Option<&str>) -> Option<String> {
    etag.map(|etag| etag.trim_matches('"').to_owned())
}

/// And quoted again for `If-Match`.
pub(crate) fn quoted_etag(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// The `lastgood-id` among an upload's metadata.
pub(crate) fn lastgood_id(metadata: &[(String, String)]) -> Option<&str> {
    metadata.iter().find(|(name, _)| name == LASTGOOD_ID).map(|(_, value)| value.as_str())
}
