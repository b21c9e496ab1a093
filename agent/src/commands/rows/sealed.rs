//! An encrypted archive that is read in places. age encrypts pieces of 64 KiB, each by itself, so that any of them can be read without
//! the others; what a piece holds is proved by its own tag.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use age::stream::StreamReader;
use catalog::Object;
use repository::{DownloadReader, Repository};

use crate::keys::Keys;
use crate::unsealed::{Unsealed, broken};

/// Bytes of a piece, and of one with its tag.
const PIECE: u64 = 64 << 10;
const SEALED_PIECE: u64 = PIECE + 16;
/// What lies before the first piece, for up to some eighty recipients.
const HEAD: u64 = 16 << 10;

/// The content of an encrypted archive.
pub(super) struct Sealed {
    content: StreamReader<BufReader<Places>>,
    /// Up to where the stored bytes may be asked for at once.
    limit: Arc<AtomicU64>,
    /// Where it is read.
    position: Arc<AtomicU64>,
}

impl Sealed {
    /// Opens it, which reads its beginning. On a thread that may block, within the runtime.
    ///
    /// # Errors
    /// When no key opens it.
    pub(super) fn open(repository: &Repository, object: &Object, keys: &Keys) -> Result<Self, age::DecryptError> {
        let limit = Arc::new(AtomicU64::new(HEAD));
        let position = Arc::<AtomicU64>::default();
        let places = Places {
            repository: repository.clone(),
            object: object.clone(),
            position: 0,
            told: Arc::clone(&position),
            stream: None,
            limit: Arc::clone(&limit),
        };
        Ok(Self { content: keys.open_anywhere(places)?, limit, position })
    }

    /// These bytes of what is in it.
    ///
    /// # Errors
    /// When they can't be read, or aren't what was stored.
    pub(super) fn range(&mut self, wanted: &Range<u64>) -> io::Result<impl Read + '_> {
        self.limit.store(HEAD + wanted.end.div_ceil(PIECE) * SEALED_PIECE, Ordering::Relaxed);
        let failed = |error| broken(error, self.position.load(Ordering::Relaxed));
        self.content.seek(SeekFrom::Start(wanted.start)).map_err(failed)?;
        let position = Arc::clone(&self.position);
        Ok(Unsealed::new((&mut self.content).take(wanted.end - wanted.start), position))
    }
}

/// The stored bytes, read from wherever they are wanted.
struct Places {
    repository: Repository,
    object: Object,
    position: u64,
    /// The same, for others to see.
    told: Arc<AtomicU64>,
    /// Bytes on their way, from `position` on.
    stream: Option<DownloadReader>,
    limit: Arc<AtomicU64>,
}

impl Read for Places {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.position >= self.object.size {
            return Ok(0);
        }
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => {
                    let end =
                        self.limit.load(Ordering::Relaxed).max(self.position + SEALED_PIECE).min(self.object.size);
                    let asking = self.repository.download_range(&self.object, self.position..end);
                    let opened = tokio::runtime::Handle::current()
                        .block_on(async { asking.await.map(repository::Download::into_reader) });
                    self.stream.insert(opened.map_err(io::Error::other)?)
                }
            };
            let length = stream.read(buffer)?;
            if length > 0 {
                self.position += length as u64;
                self.told.store(self.position, Ordering::Relaxed);
                return Ok(length);
            }
            self.stream = None;
        }
    }
}

impl Seek for Places {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.object.size.checked_add_signed(by),
        };
        let target = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        if target != self.position {
            self.stream = None;
            self.position = target;
        }
        Ok(target)
    }
}
