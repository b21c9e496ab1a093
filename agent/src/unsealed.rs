//! What an age key has opened. Where it turns out not to be what was encrypted, the error carries that as damage: then the bytes are
//! damaged, and not out of reach.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use archive::Damage;

/// Counts the stored bytes that are read.
pub(crate) struct Counted<R> {
    stored: R,
    read: Arc<AtomicU64>,
}

/// Decrypted bytes.
pub(crate) struct Unsealed<R> {
    opened: R,
    read: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// The same bytes, and where their number stands.
    pub(crate) fn new(stored: R) -> (Self, Arc<AtomicU64>) {
        let read = Arc::<AtomicU64>::default();
        (Self { stored, read: Arc::clone(&read) }, read)
    }
}

impl<R> Unsealed<R> {
    /// What was opened; `read` is how many stored bytes have been read.
    pub(crate) fn new(opened: R, read: Arc<AtomicU64>) -> Self {
        Self { opened, read }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stored.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl<R: Read> Read for Unsealed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.opened.read(buffer).map_err(|error| broken(error, self.read.load(Ordering::Relaxed)))
    }
}

/// The same error, which carries the damage where what was encrypted isn't what is there. `offset`: stored bytes that were read.
pub(crate) fn broken(error: io::Error, offset: u64) -> io::Error {
    let is_broken = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
    let is_told = error.get_ref().is_some_and(|inner| inner.is::<repository::Error>() || inner.is::<Damage>());
    if !is_broken || is_told {
        return error;
    }
    let (kind, reason) = (error.kind(), error.to_string());
    io::Error::new(kind, Damage::BadEncryption { offset, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_what_was_encrypted_is_damaged_and_what_is_out_of_reach_is_not() {
        let of = |error: io::Error| archive::damage(&broken(error, 7)).cloned();
        let bad = io::Error::new(io::ErrorKind::InvalidData, "decryption error");
        assert_eq!(of(bad), Some(Damage::BadEncryption { offset: 7, reason: "decryption error".into() }));
        assert_eq!(of(io::ErrorKind::ConnectionReset.into()), None);
        assert!(of(io::ErrorKind::UnexpectedEof.into()).is_some());
    }
}
