//! The road of a restore's bytes: stored → digest → [age] → frames → walk → whoever takes the dump.
//!
//! Nothing that was read counts before the archive's end has been seen and the digest is the manifest's.

use std::io::{self, BufRead as _, Read};
use std::sync::{Arc, Mutex};

use archive::{Damage, Digest, Digester, Expander, Kind, Walk, Walked};

use crate::answers::progress::Progress;
use crate::interrupt::Interrupt;
use crate::keys::{Keys, Source};

/// What was read, to the last byte.
#[derive(Debug)]
pub(crate) struct Through {
    /// Of the stored bytes.
    pub(crate) digest: Digest,
    pub(crate) walked: Walked,
    /// The dump's own length, in bytes.
    pub(crate) dumped: u64,
}

/// Why the archive wasn't read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadingError {
    #[error("{0}")]
    Damaged(Damage),
    #[error("can't be read: {0}")]
    Read(io::Error),
    #[error("{0}")]
    Locked(String),
    /// Whoever takes the dump refused more of it.
    #[error("{0}")]
    Refused(io::Error),
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

/// Opens the dump within stored bytes.
///
/// # Errors
/// [`ReadingError::Locked`] when it is encrypted and no key fits.
pub(crate) fn open(stored: Source, keys: &Keys) -> Result<Expander<Source>, ReadingError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut stored = stored;
    let mut head = Vec::with_capacity(archive::SNIFF_LEN);
    (&mut stored).take(archive::SNIFF_LEN as u64).read_to_end(&mut head).map_err(ReadingError::Read)?;
    let kind = archive::sniff(&head);
    let stored: Source = Box::new(io::Cursor::new(head).chain(stored));
    let sealed: Source = if kind == Kind::Age { unseal(stored, keys)? } else { stored };
    Expander::new(sealed, threads).map_err(reading)
}

fn unseal(stored: Source, keys: &Keys) -> Result<Source, ReadingError> {
    keys.open(stored).map_err(|e| ReadingError::Locked(format!("is encrypted, and no key of ours opens it: {e}")))
}

/// Reads all of `stored` and hands the dump to `take`, block by block, with the walk that has just seen it.
///
/// # Errors
/// [`ReadingError`] at the first thing that is wrong; what was handed on until then is worth nothing.
pub(crate) fn read_through(
    stored: Source,
    keys: &Keys,
    interrupt: &Interrupt,
    progress: &Progress,
    take: &mut dyn FnMut(&Walk, &[u8]) -> io::Result<()>,
) -> Result<Through, ReadingError> {
    let tap = Tap { stored, digester: Arc::default(), progress: progress.clone() };
    let digester = Arc::clone(&tap.digester);
    let mut expander = open(Box::new(tap), keys)?;
    let mut walk = Walk::new();
    loop {
        if let Some(signal) = interrupt.seen() {
            return Err(ReadingError::Interrupted(signal));
        }
        let bytes = expander.fill_buf().map_err(reading)?;
        if bytes.is_empty() {
            break;
        }
        walk.feed(bytes).map_err(ReadingError::Damaged)?;
        take(&walk, bytes).map_err(ReadingError::Refused)?;
        let length = bytes.len();
        expander.consume(length);
    }
    let dumped = walk.position();
    let walked = walk.finish().map_err(ReadingError::Damaged)?;
    // The dump may end before the stored bytes do; the digest is of all of them.
    io::copy(&mut expander.into_inner(), &mut io::sink()).map_err(reading)?;
    let digest = digester.lock().map(|digester| digester.clone().finish()).unwrap_or_else(|_| Digester::new().finish());
    Ok(Through { digest, walked, dumped })
}

/// Damage that an expander found comes as an I/O error.
pub(crate) fn reading(error: io::Error) -> ReadingError {
    match archive::damage(&error) {
        Some(damage) => ReadingError::Damaged(damage.clone()),
        None => ReadingError::Read(error),
    }
}

/// Counts and digests exactly the bytes that are stored.
struct Tap {
    stored: Source,
    digester: Arc<Mutex<Digester>>,
    progress: Progress,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stored.read(buffer)?;
        let mut digester = self.digester.lock().map_err(|_| io::Error::other("the digest was lost"))?;
        digester.update(buffer.get(..length).unwrap_or_default());
        self.progress.read(length as u64);
        Ok(length)
    }
}
