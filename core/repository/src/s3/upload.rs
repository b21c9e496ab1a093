//! One archive on its way into a bucket. Parts are uploaded while later ones are being filled; nothing is visible before
//! `complete`, and every way out that isn't a success aborts, but a copy's, which goes on later. An archive smaller than one part is a single put.
//!
//! Memory: the part being filled and those in flight, together `part_size × (parts_in_flight + 1)`; when parts must grow
//! past that, fewer are in flight.

use std::collections::BTreeMap;

use archive::{Crc64, Digest};
use bytes::{Bytes, BytesMut};
use crc_fast::crc64_nvme;
use tokio::task::JoinSet;

use super::Bucket;
use super::multipart::{Part, combined_crc, multipart_etag};
use super::object::{Body, Condition};
use super::resume::{KnownPart, Unfinished};
use super::stored::{self, Ours};
use crate::metadata::content_type;
use crate::part_sizes::PartSizes;
use crate::{Error, Stored, UploadMetadata};

/// An upload under way. Dropping it without `complete` or `abort` aborts in the background, as far as a runtime is left.
pub(crate) struct BucketUpload {
    bucket: Bucket,
    key: String,
    content_type: &'static str,
    metadata: Vec<(String, String)>,
    sizes: PartSizes,
    /// The part that the next bytes go to; its capacity is its size.
    filling: BytesMut,
    /// Bytes of all parts handed over so far.
    size: u64,
    multipart: Option<Multipart>,
    /// The store was asked to begin, and hasn't answered yet: it may have begun all the same.
    beginning: bool,
    /// Buffers of finished parts, to be filled again.
    spare: Vec<BytesMut>,
    /// What is sent of it outlives a break-off, for another upload of the same bytes to go on with.
    keeps: bool,
    /// Open uploads under this key can be listed, and none is worth more than this one.
    sweeps: bool,
}

/// The store's side of it, from the first full part on.
struct Multipart {
    upload_id: String,
    /// The request that began it was repeated: an upload that we know nothing of may be open.
    repeated: bool,
    in_flight: JoinSet<Result<(Part, Bytes), Error>>,
    done: Vec<Part>,
    /// What an upload that was broken off has sent.
    known: BTreeMap<u32, KnownPart>,
    next_number: u32,
}

/// What brought the object that is there now.
enum By {
    /// This upload: the store knows it no more.
    ThisUpload,
    /// One of the same bytes under the same name; this one is still open.
    AnotherUpload,
}

impl BucketUpload {
    pub(crate) fn new(bucket: Bucket, key: &str, metadata: &UploadMetadata) -> Self {
        Self {
            key: key.to_owned(),
            content_type: content_type(key),
            metadata: metadata.pairs(),
            sizes: PartSizes::new(&bucket.settings, metadata.expected_size),
            filling: BytesMut::new(),
            size: 0,
            multipart: None,
            beginning: false,
            spare: Vec::new(),
            keeps: false,
            sweeps: false,
            bucket,
        }
    }

    /// Goes on with what an upload under this key has sent that was broken off; how many bytes that are. From now on a break-off keeps
    /// what was sent.
    ///
    /// # Errors
    /// Those of the store; [`Error::AccessDenied`] to who may not list uploads.
    pub(crate) async fn resume(&mut self) -> Result<u64, Error> {
        let unfinished = self.bucket.unfinished(&self.key, &self.sizes).await?;
        // Who cannot list uploads would never find what is kept.
        (self.keeps, self.sweeps) = (true, true);
        let Some(Unfinished { upload_id, parts }) = unfinished else {
            return Ok(0);
        };
        let bytes = parts.values().map(|part| part.size).sum();
        let (in_flight, done) = (JoinSet::new(), Vec::new());
        self.multipart = Some(Multipart { upload_id, repeated: false, in_flight, done, known: parts, next_number: 1 });
        Ok(bytes)
    }

    /// Takes the next bytes; waits while as many parts are in flight as memory allows.
    pub(crate) async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            let room = self.part_size()?.saturating_sub(self.filling.len());
            let taken = bytes.split_to(room.min(bytes.len()));
            self.filling.extend_from_slice(&taken);
            if self.filling.len() == self.part_size()? {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    fn next_number(&self) -> u32 {
        self.multipart.as_ref().map_or(1, |multipart| multipart.next_number)
    }

    fn part_size(&self) -> Result<usize, Error> {
        self.sizes.size(self.next_number(), &self.bucket.url(&self.key))
    }

    /// Hands the filled part to a task of its own.
    async fn send_part(&mut self) -> Result<(), Error> {
        let body = std::mem::take(&mut self.filling).freeze();
        self.begin().await?;
        self.await_room(body.len()).await?;
        self.size += body.len() as u64;
        if let Some(multipart) = &mut self.multipart {
            let (bucket, key, upload_id) = (self.bucket.clone(), self.key.clone(), multipart.upload_id.clone());
            let number = multipart.next_number;
            multipart.next_number += 1;
            let known = multipart.known.get(&number).and_then(|known| known.of(number, &body));
            let is_there = known.is_some();
            multipart.done.extend(known);
            if is_there {
                self.filling = body.try_into_mut().unwrap_or_default();
                self.filling.clear();
                return Ok(());
            }
            multipart.in_flight.spawn(async move { bucket.put_part(&key, &upload_id, number, body).await });
        }
        self.filling = self.spare.pop().unwrap_or_default();
        let size = self.part_size().unwrap_or(0);
        self.filling.reserve(size);
        Ok(())
    }

    /// Begins the multipart upload with the first full part.
    async fn begin(&mut self) -> Result<(), Error> {
        if self.multipart.is_none() {
            self.beginning = true;
            let (upload_id, repeated) =
                self.bucket.begin_multipart(&self.key, self.content_type, &self.metadata).await?;
            let (in_flight, done) = (JoinSet::new(), Vec::new());
            let known = BTreeMap::new();
            self.multipart = Some(Multipart { upload_id, repeated, in_flight, done, known, next_number: 1 });
            self.beginning = false;
        }
        Ok(())
    }

    /// Waits until one more part fits: this one, and the one to be filled next, count as well.
    async fn await_room(&mut self, part: usize) -> Result<(), Error> {
        let settings = &self.bucket.settings;
        let memory = settings.part_size.saturating_mul(settings.parts_in_flight as u64 + 1);
        let fitting = usize::try_from(memory / part.max(1) as u64).unwrap_or(usize::MAX).saturating_sub(1);
        let limit = fitting.clamp(1, settings.parts_in_flight.max(1));
        while self.multipart.as_ref().is_some_and(|multipart| multipart.in_flight.len() >= limit) {
            self.join_part().await?;
        }
        Ok(())
    }

    /// Waits for any part in flight; false when there is none.
    async fn join_part(&mut self) -> Result<bool, Error> {
        let Some(multipart) = &mut self.multipart else { return Ok(false) };
        let Some(joined) = multipart.in_flight.join_next().await else { return Ok(false) };
        let broke = |error: tokio::task::JoinError| Error::NetworkAway {
            object: self.bucket.url(&self.key),
            cause: format!("the part's task ended early: {error}"),
        };
        let (part, body) = joined.map_err(broke)??;
        multipart.done.push(part);
        if let Ok(mut buffer) = body.try_into_mut() {
            buffer.clear();
            self.spare.push(buffer);
        }
        Ok(true)
    }

    /// Makes the archive visible, if nothing has its key, and every byte that was digested has arrived.
    /// On an error nothing is left behind that counts: where the answer is lost for good, an archive without a manifest may be.
    pub(crate) async fn complete(&mut self, digest: &Digest) -> Result<Stored, Error> {
        let completed = if self.multipart.is_some() {
            self.complete_multipart(digest).await
        } else {
            self.put_single(digest).await
        };
        match completed {
            Ok((stored, by)) => {
                self.sweep_repeated().await;
                match by {
                    // Its parts would stay for ever.
                    By::AnotherUpload => self.abort().await,
                    By::ThisUpload => self.multipart = None,
                }
                Ok(stored)
            }
            Err(error) if self.keeps && error.is_retryable() => {
                self.leave().await;
                Err(error)
            }
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    async fn put_single(&mut self, digest: &Digest) -> Result<(Stored, By), Error> {
        let bytes = std::mem::take(&mut self.filling).freeze();
        self.compare_sent(bytes.len() as u64, crc64_nvme(&bytes), digest)?;
        let body = Body {
            key: &self.key,
            bytes,
            content_type: self.content_type,
            metadata: &self.metadata,
            condition: Condition::Nothing,
            storage_class: self.bucket.settings.storage_class.as_deref(),
        };
        let stored = match self.bucket.committing().put_absent(&body).await {
            Err(Error::Exists { object }) => self.find_landed(digest, false).await?.ok_or(Error::Exists { object })?,
            outcome => self.bucket.prove(&self.ours(digest, false), outcome?).await?,
        };
        Ok((stored, By::ThisUpload))
    }

    async fn complete_multipart(&mut self, digest: &Digest) -> Result<(Stored, By), Error> {
        if !self.filling.is_empty() {
            self.send_part().await?;
        }
        while self.join_part().await? {}
        let Some(multipart) = &mut self.multipart else { return Err(self.gone()) };
        multipart.done.sort_unstable_by_key(|part| part.number);
        let crc = combined_crc(&multipart.done);
        self.compare_sent(self.size, crc, digest)?;
        let Some(multipart) = &self.multipart else { return Err(self.gone()) };
        let committing = self.bucket.committing();
        let completed = match self.bucket.refuse_present(&self.key).await {
            Err(error) => Err(error),
            Ok(()) => committing.complete_multipart(&self.key, &multipart.upload_id, &multipart.done, digest).await,
        };
        match completed {
            Err(Error::Exists { object }) => {
                let gone = self.bucket.upload_is_gone(&self.key, &multipart.upload_id).await.unwrap_or(false);
                let stored = self.find_landed(digest, gone).await?.ok_or(Error::Exists { object })?;
                Ok((stored, if gone { By::ThisUpload } else { By::AnotherUpload }))
            }
            Err(gone @ Error::UploadGone { .. }) => {
                Ok((self.find_landed(digest, true).await?.ok_or(gone)?, By::ThisUpload))
            }
            // Some stores call the end of an upload that has ended already something of their own.
            Err(refused @ (Error::AccessDenied { .. } | Error::NotFound { .. } | Error::Other { .. })) => {
                match self.find_landed(digest, false).await {
                    Ok(Some(stored)) => Ok((stored, By::ThisUpload)),
                    Ok(None) | Err(_) => Err(refused),
                }
            }
            outcome => Ok((self.bucket.prove(&self.ours(digest, true), outcome?).await?, By::ThisUpload)),
        }
    }

    async fn find_landed(&self, digest: &Digest, upload_is_gone: bool) -> Result<Option<Stored>, Error> {
        self.bucket.find_landed(&self.ours(digest, upload_is_gone)).await
    }

    fn ours<'a>(&'a self, digest: &'a Digest, upload_is_gone: bool) -> Ours<'a> {
        let etag = match &self.multipart {
            Some(multipart) => multipart_etag(&multipart.done),
            None => Some(digest.md5.to_string()),
        };
        // The id of an upload that goes on with another one's parts is that one's.
        let goes_on = self.multipart.as_ref().is_some_and(|multipart| !multipart.known.is_empty());
        let lastgood_id = stored::lastgood_id(&self.metadata).filter(|_| !goes_on);
        Ours { key: &self.key, digest, lastgood_id, etag, upload_is_gone }
    }

    fn gone(&self) -> Error {
        Error::UploadGone { object: self.bucket.url(&self.key) }
    }

    /// The digest was taken by another hand, of the same bytes: a difference is a fault in this program or machine.
    fn compare_sent(&self, size: u64, crc: u64, digest: &Digest) -> Result<(), Error> {
        if size == digest.size && crc == digest.crc64nvme.0 {
            return Ok(());
        }
        let cause = format!("{} bytes with CRC64NVME {} were digested", digest.size, digest.crc64nvme);
        let cause = format!("{size} bytes with CRC64NVME {} were sent, {cause}", Crc64(crc));
        Err(Error::Checksum { object: self.bucket.url(&self.key), cause })
    }

    /// Stops the parts in flight, and leaves those that have arrived for another upload of the same bytes; aborts where it doesn't keep
    /// them.
    pub(crate) async fn leave(&mut self) {
        if !self.keeps {
            return self.abort().await;
        }
        self.filling = BytesMut::new();
        if let Some(mut multipart) = self.multipart.take() {
            multipart.in_flight.shutdown().await;
        }
    }

    /// Stops the parts in flight and aborts, until the store knows the upload no more.
    pub(crate) async fn abort(&mut self) {
        self.filling = BytesMut::new();
        let mut may_have_strays = std::mem::take(&mut self.beginning);
        if let Some(mut multipart) = self.multipart.take() {
            multipart.in_flight.shutdown().await;
            self.bucket.abort_multipart(&self.key, &multipart.upload_id).await;
            may_have_strays |= multipart.repeated;
        }
        if may_have_strays {
            self.bucket.abort_strays(&self.key, None).await;
        }
    }

    async fn sweep_repeated(&self) {
        // Also what earlier ones left that had sent nothing to go on with.
        if let Some(multipart) = self.multipart.as_ref().filter(|multipart| multipart.repeated || self.sweeps) {
            self.bucket.abort_strays(&self.key, Some(&multipart.upload_id)).await;
        }
    }
}

impl std::fmt::Debug for BucketUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketUpload").field("key", &self.key).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Drop for BucketUpload {
    fn drop(&mut self) {
        let Some(multipart) = self.multipart.take().filter(|_| !self.keeps) else { return };
        let (bucket, key) = (self.bucket.clone(), std::mem::take(&mut self.key));
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                drop(runtime.spawn(async move {
                    let mut multipart = multipart;
                    multipart.in_flight.shutdown().await;
                    bucket.abort_multipart(&key, &multipart.upload_id).await;
                }));
            }
            Err(_) => tracing::warn!(key, upload_id = multipart.upload_id, "an upload was left open"),
        }
    }
}
