//! Digests stored bytes while something else reads them.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Digest, Digester};

/// Bytes handed to the digesting thread at once.
const BLOCK: usize = 256 << 10;
/// Blocks that may wait for it.
const WAITING: usize = 4;

/// Passes bytes on and digests them as they go by.
///
/// Its clones are the same reader: give one to whatever reads (and may swallow or box it), and keep one for
/// [`finish`](DigestReader::finish).
pub struct DigestReader<R>(Arc<Mutex<Stored<R>>>);

struct Stored<R> {
    reader: R,
    size: u64,
    failed: bool,
    /// None once finished.
    hashing: Option<Hashing>,
}

enum Hashing {
    Here(Box<Digester>),
    Thread { filling: Vec<u8>, blocks: Sender<Vec<u8>>, spare: Receiver<Vec<u8>>, thread: JoinHandle<Digester> },
}

impl<R> Clone for DigestReader<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Read> DigestReader<R> {
    /// Digests on the thread that reads.
    #[must_use]
    pub fn new(reader: R) -> Self {
        Self::hashing(reader, Hashing::Here(Box::default()))
    }

    /// Digests on a thread of its own, at most 1.5 MiB behind the reader. The thread ends with the last clone.
    ///
    /// # Errors
    /// The thread can't be started.
    pub fn with_thread(reader: R) -> io::Result<Self> {
        let (blocks, to_digest) = bounded::<Vec<u8>>(WAITING);
        let (digested, spare) = bounded(WAITING);
        let digest = move || {
            let mut digester = Digester::new();
            for block in to_digest {
                digester.update(&block);
                // A full pool drops the buffer.
                let _ = digested.try_send(block);
            }
            digester
        };
        let thread = thread::Builder::new().name("digest".to_owned()).spawn(digest)?;
        Ok(Self::hashing(reader, Hashing::Thread { filling: Vec::with_capacity(BLOCK), blocks, spare, thread }))
    }

    fn hashing(reader: R, hashing: Hashing) -> Self {
        let stored = Stored { reader, size: 0, failed: false, hashing: Some(hashing) };
        Self(Arc::new(Mutex::new(stored)))
    }

    /// Reads whatever nobody has read, to the end, and gives the digest of all.
    ///
    /// # Errors
    /// The stored bytes can't be read to their end, now or earlier; or a clone has finished before.
    pub fn finish(self) -> io::Result<Digest> {
        let mut stored = self.lock()?;
        let mut rest = vec![0; BLOCK];
        while !stored.failed && stored.read(&mut rest)? > 0 {}
        if stored.failed {
            return Err(io::Error::other("the stored bytes could not be read to their end"));
        }
        match stored.hashing.take() {
            Some(hashing) => Ok(hashing.finish()?.finish()),
            None => Err(finished_before()),
        }
    }

    /// Bytes read so far.
    pub(crate) fn size(&self) -> u64 {
        self.lock().map_or(0, |stored| stored.size)
    }

    /// Whether reading has failed: that what sits upon this reader failed is then no finding.
    pub(crate) fn has_failed(&self) -> bool {
        self.lock().map_or(true, |stored| stored.failed)
    }

    fn lock(&self) -> io::Result<MutexGuard<'_, Stored<R>>> {
        self.0.lock().map_err(|_| io::Error::other("a thread died while it read the stored bytes"))
    }
}

impl<R: Read> Read for DigestReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock()?.read(buffer)
    }
}

impl<R: Read> Stored<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let length = length.inspect_err(|_| self.failed = true)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        self.size += length as u64;
        match &mut self.hashing {
            _ if bytes.is_empty() => {}
            Some(hashing) => hashing.update(bytes)?,
            None => return Err(finished_before()),
        }
        Ok(length)
    }
}

impl Hashing {
    fn update(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Here(digester) => digester.update(bytes),
            Self::Thread { filling, blocks, spare, .. } => {
                filling.extend_from_slice(bytes);
                if filling.len() >= BLOCK {
                    let mut next = spare.try_recv().unwrap_or_default();
                    next.clear();
                    blocks.send(std::mem::replace(filling, next)).map_err(|_| digester_died())?;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> io::Result<Digester> {
        match self {
            Self::Here(digester) => Ok(*digester),
            Self::Thread { filling, blocks, thread, .. } => {
                blocks.send(filling).map_err(|_| digester_died())?;
                drop(blocks);
                thread.join().map_err(|_| digester_died())
            }
        }
    }
}

fn digester_died() -> io::Error {
    io::Error::other("the thread that digests died")
}

fn finished_before() -> io::Error {
    io::Error::other("the digest has been taken already")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(bytes: &[u8]) -> Digest {
        let mut digester = Digester::new();
        digester.update(bytes);
        digester.finish()
    }

    fn readers(bytes: &[u8]) -> [DigestReader<&[u8]>; 2] {
        [DigestReader::new(bytes), DigestReader::with_thread(bytes).unwrap()]
    }

    #[test]
    fn what_is_read_and_what_is_left_unread_are_digested_alike() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number * 7 % 251) as u8).collect();
        for half in [0, 1, 1_000_001, 3_000_000] {
            for stored in readers(&bytes) {
                let mut read = vec![0; half];
                stored.clone().read_exact(&mut read).unwrap();
                assert!(read == bytes[..half]);
                assert_eq!(stored.finish().unwrap(), digest(&bytes));
            }
        }
    }

    #[test]
    fn a_failed_read_leaves_no_digest() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let stored = DigestReader::new(b"abc".chain(Broken));
        assert!(io::copy(&mut stored.clone(), &mut io::sink()).is_err());
        assert!(stored.has_failed());
        assert!(stored.finish().is_err());
    }

    #[test]
    fn a_digest_is_taken_once() {
        for stored in readers(b"abc") {
            assert!(stored.clone().finish().is_ok());
            assert!(stored.finish().is_err());
        }
    }
}
