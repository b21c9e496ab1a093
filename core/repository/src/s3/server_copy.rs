//! An archive that the store copies by itself, from one of its buckets to another: no byte of it comes here. It is held to what was dumped by
//! the CRC64NVME of each part, which the store takes of the bytes as it copies them: joined, they have to be the manifest's. A store that says
//! none is not trusted with it.

use archive::Digest;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::task::JoinSet;

use super::multipart::{Part, combined_crc, multipart_etag};
use super::stored::{self, Ours};
use super::{Bucket, Call};
use crate::metadata::content_type;
use crate::{Checksum, Error, Stored, UploadMetadata};
use catalog::Object;

/// Bytes of a part: the store copies each in one piece, and some at the same time.
const PART: u64 = 256 << 20;
/// A copy's source stands in a header: everything but what is in no name's way is escaped.
const IN_HEADER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Bucket {
    /// Whether one identity speaks to both, at one store.
    fn is_beside(&self, other: &Self) -> bool {
        let keys = |bucket: &Self| {
            let keys = bucket.settings.keys.as_ref();
            keys.map(|keys| (keys.id.clone(), keys.secret.reveal().to_owned()))
        };
        self.endpoint == other.endpoint && keys(self) == keys(other) && self.settings.profile == other.settings.profile
    }

    /// Has the store copy an archive of another of its buckets. `None`: it can't, or says nothing by which that could be checked; nothing
    /// is left of it then.
    ///
    /// # Errors
    /// [`Error::Checksum`] when it isn't what `digest` was taken of, [`Error::Exists`], and the word to stop.
    pub(crate) async fn copy_within(
        &self,
        (from, object): (&Self, &Object),
        key: &str,
        metadata: &UploadMetadata,
        digest: &Digest,
    ) -> Result<Option<Stored>, Error> {
        if !self.is_beside(from) || self.settings.checksum != Checksum::Crc64Nvme || object.size != digest.size {
            return Ok(None);
        }
        match self.refuse_present(key).await {
            Err(exists @ Error::Exists { .. }) => {
                // A copy that broke off before its manifest has brought the same bytes.
                let ours = Ours { key, digest, lastgood_id: None, etag: None, upload_is_gone: false };
                return self.find_landed(&ours).await?.ok_or(exists).map(Some);
            }
            present => present?,
        }
        let pairs = metadata.pairs();
        let (upload_id, repeated) = self.begin_multipart(key, content_type(key), &pairs).await?;
        let copied = match self.copy_parts((from, object), (key, &upload_id), digest).await {
            Ok(Some(parts)) => self.end_copy((key, &upload_id), &parts, digest).await.map(Some),
            copied => copied.map(|_| None),
        };
        if !matches!(copied, Ok(Some(_))) {
            self.abort_multipart(key, &upload_id).await;
        }
        if repeated {
            self.abort_strays(key, None).await;
        }
        match copied {
            Err(error) if !is_final(&error) => {
                tracing::debug!("the store does not copy it by itself: {error}");
                Ok(None)
            }
            copied => copied,
        }
    }

    /// Every part, held to the digest; `None` where the store says nothing of one.
    async fn copy_parts(
        &self,
        (from, object): (&Self, &Object),
        (key, upload_id): (&str, &str),
        digest: &Digest,
    ) -> Result<Option<Vec<Part>>, Error> {
        let size = PART.max(object.size.div_ceil(u64::from(self.settings.max_parts.max(1))));
        let (mut in_flight, mut parts) = (JoinSet::new(), Vec::new());
        let mut ranges = (0..object.size.div_ceil(size).max(1)).map(|at| (at * size, object.size.min((at + 1) * size)));
        let mut number = 0;
        loop {
            while in_flight.len() < self.settings.parts_in_flight.max(1) {
                let Some(range) = ranges.next() else { break };
                number += 1;
                let (bucket, source, object) = (self.clone(), from.clone(), object.clone());
                let (key, upload_id, number) = (key.to_owned(), upload_id.to_owned(), number);
                in_flight.spawn(async move {
                    bucket.copy_part((&source, &object), (&key, &upload_id), number, range).await
                });
            }
            let Some(joined) = in_flight.join_next().await else { break };
            let ended = |error| Error::NetworkAway {
                object: self.url(key),
                cause: format!("the part's task ended early: {error}"),
            };
            let Some(part) = joined.map_err(ended)?? else { return Ok(None) };
            parts.push(part);
        }
        parts.sort_unstable_by_key(|part: &Part| part.number);
        if combined_crc(&parts) == digest.crc64nvme.0 {
            return Ok(Some(parts));
        }
        let cause = "the bytes that the store copied are not those that were dumped".to_owned();
        Err(Error::Checksum { object: from.url(&object.key), cause })
    }

    async fn copy_part(
        &self,
        (from, object): (&Self, &Object),
        (key, upload_id): (&str, &str),
        number: u32,
        (begin, end): (u64, u64),
    ) -> Result<Option<Part>, Error> {
        let source = format!("{}/{}", from.settings.bucket, object.key);
        let source = utf8_percent_encode(&source, IN_HEADER).to_string();
        let source = match object.pinned_version() {
            Some(version) => format!("{source}?versionId={version}"),
            None => source,
        };
        let send = || {
            self.client
                .upload_part_copy()
                .bucket(&self.settings.bucket)
                .key(key)
                .upload_id(upload_id)
                .part_number(i32::try_from(number).unwrap_or(i32::MAX))
                .copy_source(&source)
                .copy_source_range(format!("bytes={begin}-{}", end.saturating_sub(1)))
                .set_copy_source_if_match(object.bare_etag().map(stored::quoted_etag))
                .set_expected_source_bucket_owner(from.settings.owner.clone())
                .send()
        };
        let call = Call { bytes: end - begin, ..Call::new("s3:PutObject", key) };
        let answer = self.call(call, send).await?;
        let Some(result) = answer.copy_part_result() else { return Ok(None) };
        let crc = stored::full_object_crc(result.checksum_crc64_nvme());
        let etag = result.e_tag().unwrap_or_default().to_owned();
        Ok(crc.map(|crc| Part { number, size: end - begin, crc: crc.0, etag }))
    }

    async fn end_copy(&self, (key, upload_id): (&str, &str), parts: &[Part], digest: &Digest) -> Result<Stored, Error> {
        let completed = self.committing().complete_multipart(key, upload_id, parts, digest).await;
        let upload_is_gone = matches!(completed, Err(Error::UploadGone { .. }));
        let ours = Ours { key, digest, lastgood_id: None, etag: multipart_etag(parts), upload_is_gone };
        match completed {
            Err(error @ (Error::Exists { .. } | Error::UploadGone { .. })) => {
                self.find_landed(&ours).await?.ok_or(error)
            }
            completed => self.prove(&ours, completed?).await,
        }
    }
}

/// Whether sending the bytes from here would end no better.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::Checksum { .. } | Error::Exists { .. } | Error::Conflict { .. } | Error::Interrupted(_))
}
