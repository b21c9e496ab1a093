//! The beginning of a stored archive, by ranges that grow: a head is small as a rule, and nobody knows how small.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes, BytesMut};
use catalog::Object;
use repository::{Error, Repository};
use tokio::runtime::Handle;

/// Bytes of the first range, and the most of one.
const FIRST: u64 = 256 << 10;
const MOST: u64 = 8 << 20;

/// Reads an object from its first byte on, a range at a time. For a thread that may block, made inside the runtime.
pub(super) struct Beginning {
    repository: Repository,
    object: Object,
    runtime: Handle,
    at: u64,
    next: u64,
    ready: Bytes,
}

impl Beginning {
    pub(super) fn of(repository: &Repository, object: &Object) -> Self {
        let (repository, object, runtime) = (repository.clone(), object.clone(), Handle::current());
        Self { repository, object, runtime, at: 0, next: FIRST, ready: Bytes::new() }
    }

    async fn fetch(&self) -> Result<Bytes, Error> {
        let end = self.object.size.min(self.at.saturating_add(self.next));
        let mut download = self.repository.download_range(&self.object, self.at..end).await?;
        let mut bytes = BytesMut::new();
        while let Some(part) = download.next().await {
            bytes.extend_from_slice(&part?);
        }
        Ok(bytes.freeze())
    }
}

impl Read for Beginning {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() && self.at < self.object.size {
            self.ready = self.runtime.block_on(self.fetch()).map_err(io::Error::other)?;
            self.at += self.ready.len() as u64;
            self.next = (self.next * 2).min(MOST);
        }
        let length = self.ready.len().min(into.len());
        self.ready.copy_to_slice(into.split_at_mut(length).0);
        Ok(length)
    }
}
