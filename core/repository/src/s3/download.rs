//! An object read in order through ranges fetched side by side. Each range names the version and ETag, so that all come
//! from one object, and goes on at the byte where its body broke.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use catalog::Object;
use tokio::task::JoinHandle;

use super::{Bucket, Call, stored};
use crate::Error;
use crate::retry::Attempts;

/// Bytes of one range. As many ranges as `parts_in_flight` are fetched or waiting to be taken: that is the memory.
const RANGE: u64 = 8 << 20;

/// The ranges of one object, in order.
pub(crate) struct BucketDownload {
    bucket: Bucket,
    object: Object,
    /// First byte not yet asked for.
    asked: u64,
    /// Where it ends.
    end: u64,
    /// Bytes given so far, and those before the place it began at.
    given: u64,
    window: VecDeque<Fetch>,
}

/// A range on its way; dropping it stops it.
struct Fetch(JoinHandle<Result<Bytes, Error>>);

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl BucketDownload {
    pub(crate) fn new(bucket: Bucket, object: Object, wanted: &Range<u64>) -> Self {
        let end = wanted.end.min(object.size);
        let from = wanted.start.min(end);
        Self { bucket, object, asked: from, end, given: from, window: VecDeque::new() }
    }

    /// The next bytes, up to 8 MiB at once; `None` at the end, when all bytes were given.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.fill_window();
        let Some(mut fetch) = self.window.pop_front() else { return Ok(None) };
        let bytes = (&mut fetch.0).await.map_err(|error| Error::NetworkAway {
            object: self.bucket.url(&self.object.key),
            cause: format!("the range's task ended early: {error}"),
        })??;
        self.given += bytes.len() as u64;
        self.fill_window();
        Ok(Some(bytes))
    }

    /// Bytes that are still to come.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.given
    }

    fn fill_window(&mut self) {
        while self.asked < self.end && self.window.len() < self.bucket.settings.parts_in_flight.max(1) {
            let range = self.asked..self.end.min(self.asked + RANGE);
            self.asked = range.end;
            let (bucket, object) = (self.bucket.clone(), self.object.clone());
            self.window.push_back(Fetch(tokio::spawn(async move { bucket.fetch(&object, range).await })));
        }
    }
}

impl Bucket {
    /// One range whole. Patience starts again whenever bytes have arrived.
    async fn fetch(&self, object: &Object, range: Range<u64>) -> Result<Bytes, Error> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut bytes = BytesMut::with_capacity(length);
        let mut attempts = Attempts::new(&self.patience);
        while bytes.len() < length {
            let before = bytes.len();
            let rest = range.start + before as u64..range.end;
            if let Err(error) =
                self.patience.cancellation.or(Box::pin(self.fetch_into(object, rest, &mut bytes))).await?
            {
                if bytes.len() > before {
                    attempts = Attempts::new(&self.patience);
                }
                attempts.pause_after(error).await?;
            }
        }
        Ok(bytes.freeze())
    }

    /// Appends what arrives of `range`, and keeps it also when the body breaks.
    async fn fetch_into(&self, object: &Object, range: Range<u64>, bytes: &mut BytesMut) -> Result<(), Error> {
        let call = Call::new("s3:GetObject", &object.key);
        let request = self
            .client
            .get_object()
            .bucket(&self.settings.bucket)
            .key(&object.key)
            .range(format!("bytes={}-{}", range.start, range.end - 1))
            .set_version_id(object.pinned_version().map(str::to_owned))
            .set_if_match(object.bare_etag().map(stored::quoted_etag));
        let mut answer = self.once(&call, request.send()).await?;
        self.check_range(object, &range, answer.content_range())?;
        let mut missing = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        while let Some(chunk) = self.next_chunk(&object.key, &mut answer.body).await? {
            if chunk.len() > missing {
                return Err(Error::Changed { object: self.url(&object.key) });
            }
            missing -= chunk.len();
            bytes.extend_from_slice(&chunk);
        }
        if missing > 0 {
            let cause = format!("the body ended {missing} bytes early");
            return Err(Error::NetworkAway { object: self.url(&object.key), cause });
        }
        Ok(())
    }

    /// The store must have answered with just this range of an object of just this size.
    fn check_range(&self, object: &Object, range: &Range<u64>, answered: Option<&str>) -> Result<(), Error> {
        let expected = format!("bytes {}-{}/{}", range.start, range.end - 1, object.size);
        let whole_at_once = answered.is_none() && *range == (0..object.size);
        if answered == Some(expected.as_str()) || whole_at_once {
            return Ok(());
        }
        Err(Error::Changed { object: self.url(&object.key) })
    }
}
