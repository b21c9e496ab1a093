//! The requests of a multipart upload, and what its parts say of the whole.

use archive::{Crc64, Digest};
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, StorageClass};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum_combine, crc64_nvme};
use md5::{Digest as _, Md5};

use super::object::{crc_text, md5_text};
use super::{Bucket, Call, stored};
use crate::{Checksum, Error, Stored};

/// Longer than for other requests: S3 joins the parts of a large object before it answers.
const COMPLETION_BYTES: u64 = 512 * super::SLOWEST;

/// A part that the store has.
pub(crate) struct Part {
    pub(crate) number: u32,
    pub(crate) size: u64,
    pub(crate) crc: u64,
    pub(crate) etag: String,
}

impl Bucket {
    /// Begins an upload; true when the request had to be repeated.
    pub(crate) async fn begin_multipart(
        &self,
        key: &str,
        content_type: &str,
        metadata: &[(String, String)],
    ) -> Result<(String, bool), Error> {
        let (encryption, kms_key) = self.encryption();
        let full_object = self.settings.checksum == Checksum::Crc64Nvme;
        let mut request = self
            .client
            .create_multipart_upload()
            .bucket(&self.settings.bucket)
            .key(key)
            .content_type(content_type)
            .set_checksum_algorithm(full_object.then_some(ChecksumAlgorithm::Crc64Nvme))
            .set_checksum_type(full_object.then_some(ChecksumType::FullObject))
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .set_storage_class(self.settings.storage_class.as_deref().map(StorageClass::from));
        for (name, value) in metadata {
            request = request.metadata(name, value);
        }
        let mut tries = 0;
        let send = || {
            tries += 1;
            request.clone().send()
        };
        let answer = self.call(Call::new("s3:PutObject", key), send).await?;
        match answer.upload_id() {
            Some(upload_id) => Ok((upload_id.to_owned(), tries > 1)),
            None => Err(Error::UploadGone { object: self.url(key) }),
        }
    }

    pub(crate) async fn put_part(
        &self,
        key: &str,
        upload_id: &str,
        number: u32,
        body: Bytes,
    ) -> Result<(Part, Bytes), Error> {
        let crc = crc64_nvme(&body);
        let md5 = (self.settings.checksum == Checksum::Md5).then(|| md5_text(archive::Md5(Md5::digest(&body).into())));
        let crc_header = (self.settings.checksum == Checksum::Crc64Nvme).then(|| crc_text(Crc64(crc)));
        let send = || {
            let request = self
                .client
                .upload_part()
                .bucket(&self.settings.bucket)
                .key(key)
                .upload_id(upload_id)
                .part_number(i32::try_from(number).unwrap_or(i32::MAX))
                .content_length(i64::try_from(body.len()).unwrap_or(i64::MAX))
                .set_content_md5(md5.clone())
                .set_checksum_crc64_nvme(crc_header.clone())
                .body(ByteStream::from(body.clone()))
                .customize();
            if self.unsigned_payload { request.disable_payload_signing().send() } else { request.send() }
        };
        let answer = self.call(Call::new("s3:PutObject", key).carrying(body.len()), send).await?;
        self.compare_checksum(key, stored::full_object_crc(answer.checksum_crc64_nvme()), Crc64(crc))?;
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        Ok((Part { number, size: body.len() as u64, crc, etag }, body))
    }

    pub(crate) async fn complete_multipart(
        &self,
        key: &str,
        upload_id: &str,
        parts: &[Part],
        digest: &Digest,
    ) -> Result<Stored, Error> {
        let mut how = Completion { conditional: true, checksums: self.settings.checksum == Checksum::Crc64Nvme };
        let answer = loop {
            let request = self.completion(key, (upload_id, parts), digest, how);
            let call = Call { bytes: COMPLETION_BYTES, ..Call::new("s3:PutObject", key) };
            match self.call(call, || request.clone().send()).await {
                Err(error) if how.conditional && error.lacks_conditions() => how.conditional = false,
                Err(error) if how.checksums && error.lacks_checksums() => how.checksums = false,
                outcome => break outcome?,
            }
        };
        let theirs = stored::full_object_crc(answer.checksum_crc64_nvme());
        self.compare_checksum(key, theirs, digest.crc64nvme)?;
        Ok(Stored {
            key: key.to_owned(),
            version_id: answer.version_id().map(str::to_owned),
            etag: stored::bare_etag(answer.e_tag()).filter(|etag| !etag.is_empty()),
            size: digest.size,
            crc64nvme: theirs.or(how.checksums.then_some(digest.crc64nvme)),
        })
    }

    fn completion(
        &self,
        key: &str,
        (upload_id, parts): (&str, &[Part]),
        digest: &Digest,
        how: Completion,
    ) -> CompleteMultipartUploadFluentBuilder {
        self.client
            .complete_multipart_upload()
            .bucket(&self.settings.bucket)
            .key(key)
            .upload_id(upload_id)
            .set_if_none_match(how.conditional.then(|| "*".to_owned()))
            .mpu_object_size(i64::try_from(digest.size).unwrap_or(i64::MAX))
            .multipart_upload(completed_parts(parts, how.checksums))
            .set_checksum_crc64_nvme(how.checksums.then(|| crc_text(digest.crc64nvme)))
            .set_checksum_type(how.checksums.then_some(ChecksumType::FullObject))
    }
}

/// What a store is asked to look at when it completes an upload.
#[derive(Clone, Copy)]
struct Completion {
    /// Nothing may have the key.
    conditional: bool,
    checksums: bool,
}

fn completed_parts(parts: &[Part], with_checksums: bool) -> CompletedMultipartUpload {
    let completed = parts.iter().map(|part| {
        CompletedPart::builder()
            .part_number(i32::try_from(part.number).unwrap_or(i32::MAX))
            .e_tag(&part.etag)
            .set_checksum_crc64_nvme(with_checksums.then(|| crc_text(Crc64(part.crc))))
            .build()
    });
    CompletedMultipartUpload::builder().set_parts(Some(completed.collect())).build()
}

/// The checksum of the whole, from those of its parts.
pub(crate) fn combined_crc(parts: &[Part]) -> u64 {
    parts.iter().fold(0, |crc, part| checksum_combine(CrcAlgorithm::Crc64Nvme, crc, part.crc, part.size))
}

/// The MD5 of the parts' MD5s and their number; `None` where the parts' ETags are no MD5s (KMS).
pub(crate) fn multipart_etag(parts: &[Part]) -> Option<String> {
    let mut md5 = Md5::new();
    for part in parts {
        let etag: archive::Md5 = part.etag.trim_matches('"').parse().ok()?;
        md5.update(etag.0);
    }
    Some(format!("{}-{}", archive::Md5(md5.finalize().into()), parts.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_of_parts_combine_to_that_of_the_whole() {
        let whole: Vec<u8> = (0..100_000u32).map(|n| (n * 7 % 251) as u8).collect();
        let parts: Vec<Part> = whole
            .chunks(33_333)
            .map(|part| Part { number: 1, size: part.len() as u64, crc: crc64_nvme(part), etag: String::new() })
            .collect();
        assert_eq!(combined_crc(&parts), crc64_nvme(&whole));
    }
}
