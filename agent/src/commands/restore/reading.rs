//! The road of a restore's bytes: stored → digest → [age] → frames → walk → whoever takes the dump.
//!
//! Nothing that was read counts before the archive's end has been seen and the digest is the manifest's.

use std::io::{self, BufRead as _, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ::archive::{Damage, Digest, Digester, Expander, Kind, Walk, Walked, damage};

use crate::answers::failure::Failure;
use crate::answers::progress::Progress;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::dump;
pub(crate) use crate::commands::restore::dump::Dump;
use crate::commands::restore::watch::Watch;
use crate::keys::{Keys, Source};
use crate::unsealed::{Counted, Unsealed, broken};

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
    #[error("cannot be read: {0}")]
    Read(io::Error),
    #[error("{0}")]
    Locked(String),
    #[error("stopped by {0}")]
    Interrupted(&'static str),
}

/// Why the archive wasn't read to its end, where somebody takes what is read.
#[derive(Debug)]
pub(crate) enum ReadError<E> {
    /// Reading failed.
    Reading(ReadingError),
    /// Whoever takes the dump refused more of it.
    Refused(E),
}

impl<E> From<ReadingError> for ReadError<E> {
    fn from(error: ReadingError) -> Self {
        Self::Reading(error)
    }
}

/// Opens the dump within the stored bytes of `archive`. A script is read to its end for its outline first, once.
///
/// # Errors
/// [`ReadingError::Locked`] when it is encrypted and no key fits.
pub(crate) fn open(stored: Source, archive: &Archive) -> Result<Dump, ReadingError> {
    let (expander, layers) = expand(stored, &archive.keys)?;
    let dump = Dump::new(expander, || {
        archive.outline(|| {
            let script = archive.open().map_err(|failure| io::Error::other(failure.error))?;
            dump::outline(expand(script, &archive.keys).map_err(io::Error::other)?.0, &archive.interrupt)
        })
    });
    dump.map_err(|error| match reading(error) {
        ReadingError::Damaged(damage) => ReadingError::Damaged(damage.inside(&layers)),
        error => error,
    })
}

/// Stored bytes without encryption and compression, and which of these were taken off.
fn expand(stored: Source, keys: &Keys) -> Result<(Expander<Source>, Vec<Kind>), ReadingError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut stored = stored;
    let mut head = Vec::with_capacity(::archive::SNIFF_LEN);
    (&mut stored).take(::archive::SNIFF_LEN as u64).read_to_end(&mut head).map_err(ReadingError::Read)?;
    let kind = ::archive::sniff(&head);
    let stored: Source = Box::new(io::Cursor::new(head).chain(stored));
    let sealed: Source = if kind == Kind::Age { unseal(stored, keys)? } else { stored };
    let expander = Expander::new(sealed, threads).map_err(reading)?;
    let compressed = expander.kinds().first().filter(|kind| matches!(kind, Kind::Gzip | Kind::Zstd));
    let layers = Some(kind).filter(|kind| *kind == Kind::Age).into_iter().chain(compressed.copied()).collect();
    Ok((expander, layers))
}

fn unseal(stored: Source, keys: &Keys) -> Result<Source, ReadingError> {
    let (counted, read) = Counted::new(stored);
    let opened = keys.open(Box::new(counted));
    let opened = opened.map_err(|error| locked(error, read.load(Ordering::Relaxed)))?;
    Ok(Box::new(Unsealed::new(opened, read)))
}

/// Why no key opens it: none fits, or it is no longer what was encrypted. `offset`: stored bytes that were read.
pub(crate) fn locked(error: age::DecryptError, offset: u64) -> ReadingError {
    match error {
        age::DecryptError::Io(error) => reading(broken(error, offset)),
        error @ (age::DecryptError::InvalidHeader | age::DecryptError::InvalidMac) => {
            ReadingError::Damaged(Damage::BadEncryption { offset, reason: error.to_string() })
        }
        error => ReadingError::Locked(format!("is encrypted, and no key that is set opens it: {error}")),
    }
}

/// Reads all of `archive` and hands the dump to `take`, block by block, with the walk that has just seen it.
///
/// # Errors
/// [`ReadError`] at the first thing that is wrong; what was handed on until then is worth nothing.
pub(crate) fn read_through<E: From<Failure>>(
    archive: &Archive,
    progress: &Progress,
    mut take: impl FnMut(&Walk, &[u8]) -> Result<(), E>,
) -> Result<Through, ReadError<E>> {
    let stored = archive.open().map_err(|failure| ReadError::Refused(failure.into()))?;
    let mut viewer = archive.watch.as_ref().map(Watch::begin);
    let tap = Tap { stored, digester: Arc::default(), progress: progress.clone(), watch: archive.watch.clone() };
    let digester = Arc::clone(&tap.digester);
    let mut expander = open(Box::new(tap), archive)?;
    let mut walk = if viewer.is_some() { Walk::new().comparing() } else { Walk::new() };
    loop {
        if let Some(signal) = archive.interrupt.seen() {
            return Err(ReadingError::Interrupted(signal).into());
        }
        let bytes = expander.fill_buf().map_err(reading)?;
        if bytes.is_empty() {
            break;
        }
        walk.feed(bytes).map_err(ReadingError::Damaged)?;
        viewer.as_mut().map_or(Ok(()), |viewer| viewer.see(bytes)).map_err(ReadingError::Damaged)?;
        take(&walk, bytes).map_err(ReadError::Refused)?;
        let length = bytes.len();
        expander.consume(length);
    }
    let dumped = walk.position();
    let in_any_order = walk.in_any_order();
    let walked = walk.finish().map_err(ReadingError::Damaged)?;
    // The dump may end before the stored bytes do; the digest is of all of them.
    io::copy(&mut expander.into_inner(), &mut io::sink()).map_err(reading)?;
    viewer.into_iter().for_each(|viewer| viewer.end(&walked.census, &in_any_order));
    let digester = digester.lock().map_err(|_| ReadingError::Read(io::Error::other("the digest was lost")))?;
    Ok(Through { digest: digester.clone().finish(), walked, dumped })
}

/// Damage that an expander found comes as an I/O error.
pub(crate) fn reading(error: io::Error) -> ReadingError {
    match damage(&error) {
        Some(damage) => ReadingError::Damaged(damage.clone()),
        None => ReadingError::Read(error),
    }
}

/// Counts and digests exactly the bytes that are stored.
struct Tap {
    stored: Source,
    digester: Arc<Mutex<Digester>>,
    progress: Progress,
    watch: Option<Watch>,
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let asked = Instant::now();
        let length = self.stored.read(buffer)?;
        self.watch.iter().for_each(|watch| watch.waited(asked.elapsed()));
        let mut digester = self.digester.lock().map_err(|_| io::Error::other("the digest was lost"))?;
        digester.update(filled(buffer, length)?);
        self.progress.read(length as u64);
        Ok(length)
    }
}

/// What a reader that answered `length` has put into `buffer`.
///
/// # Errors
/// When it claims more than the buffer holds.
pub(crate) fn filled(buffer: &[u8], length: usize) -> io::Result<&[u8]> {
    buffer.get(..length).ok_or_else(|| io::Error::other("a reader claims more bytes than it was given room for"))
}
