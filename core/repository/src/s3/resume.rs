//! What an interrupted upload has left in the store: an open multipart upload and its parts.

use std::collections::BTreeMap;

use archive::Crc64;
use bytes::Bytes;
use crc_fast::crc64_nvme;
use md5::{Digest as _, Md5};

use super::multipart::Part;
use super::{Bucket, Call, stored};
use crate::Error;
use crate::part_sizes::PartSizes;

/// A part that the store has of an upload that nobody has completed.
#[derive(Clone, Debug)]
pub(crate) struct KnownPart {
    pub(crate) size: u64,
    etag: String,
    crc: Option<Crc64>,
}

/// An upload that nobody has completed.
#[derive(Debug)]
pub(crate) struct Unfinished {
    pub(crate) upload_id: String,
    pub(crate) parts: BTreeMap<u32, KnownPart>,
}

impl KnownPart {
    /// The part, if these are its bytes: by its checksum, or by its `ETag` where that is their MD5.
    pub(crate) fn of(&self, number: u32, body: &Bytes) -> Option<Part> {
        let crc = crc64_nvme(body);
        let same_size = self.size == body.len() as u64;
        let is_same = match self.crc {
            Some(known) => known == Crc64(crc),
            None => self.etag == archive::Md5(Md5::digest(body).into()).to_string(),
        };
        (same_size && is_same).then(|| Part { number, size: self.size, crc, etag: format!("\"{}\"", self.etag) })
    }
}

impl Bucket {
    /// The newest open upload of this very key whose parts have the sizes that ours would have; `None` where there is none.
    ///
    /// # Errors
    /// Those of the store; [`Error::AccessDenied`] to who may not list them.
    pub(crate) async fn unfinished(&self, key: &str, sizes: &PartSizes) -> Result<Option<Unfinished>, Error> {
        let mut open = self.open_uploads(key).await?;
        open.retain(|upload| upload.key() == Some(key));
        open.sort_by_key(|upload| std::cmp::Reverse(upload.initiated().map(|at| (at.secs(), at.subsec_nanos()))));
        for upload in open {
            let Some(upload_id) = upload.upload_id() else { continue };
            let parts = match self.known_parts(key, upload_id).await {
                // It ended meanwhile.
                Err(Error::UploadGone { .. } | Error::NotFound { .. }) => continue,
                parts => parts?,
            };
            let last = parts.keys().next_back().copied().unwrap_or_default();
            let fits = |(number, part): (&u32, &KnownPart)| {
                let size = sizes.size(*number, key).map_or(0, |size| size as u64);
                part.size == size || (*number == last && part.size < size)
            };
            if !parts.is_empty() && parts.iter().all(fits) {
                return Ok(Some(Unfinished { upload_id: upload_id.to_owned(), parts }));
            }
        }
        Ok(None)
    }

    async fn known_parts(&self, key: &str, upload_id: &str) -> Result<BTreeMap<u32, KnownPart>, Error> {
        let mut parts = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = self
                .call(Call::new("s3:ListMultipartUploadParts", key), || {
                    let request = self.client.list_parts().bucket(&self.settings.bucket).key(key).upload_id(upload_id);
                    request.set_part_number_marker(after.clone()).send()
                })
                .await?;
            for part in page.parts() {
                let number = part.part_number().and_then(|number| u32::try_from(number).ok());
                let size = part.size().and_then(|size| u64::try_from(size).ok());
                let (Some(number), Some(size)) = (number, size) else { continue };
                let etag = stored::bare_etag(part.e_tag()).unwrap_or_default();
                parts
                    .insert(number, KnownPart { size, etag, crc: stored::full_object_crc(part.checksum_crc64_nvme()) });
            }
            let next = page.next_part_number_marker().map(str::to_owned);
            match (page.is_truncated(), next) {
                (Some(true), Some(next)) if Some(&next) != after.as_ref() => after = Some(next),
                (Some(true), _) => return Err(self.incomplete("the store says there are more parts but not where")),
                _ => return Ok(parts),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_its_bytes_and_not_by_its_size_alone() {
        let body = Bytes::from_static(b"the bytes of a part");
        let size = body.len() as u64;
        let etag = archive::Md5(Md5::digest(&body).into()).to_string();
        let known = |etag: &str, crc: Option<u64>, size| KnownPart { size, etag: etag.to_owned(), crc: crc.map(Crc64) };
        assert!(known(&etag, None, size).of(1, &body).is_some());
        assert!(known("not an MD5", Some(crc64_nvme(&body)), size).of(1, &body).is_some());
        assert!(known(&etag, Some(7), size).of(1, &body).is_none());
        assert!(known("not an MD5", None, size).of(1, &body).is_none());
        assert!(known(&etag, None, size + 1).of(1, &body).is_none());
    }
}
