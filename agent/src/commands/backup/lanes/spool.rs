//! The local copy as a queue without an end: whoever lags behind the dump reads from it what went by.
//!
//! The file is read while it is written. What the directory was given and hasn't written yet is kept here, at most as much as its
//! queue holds, so that nothing is lost to the others when its disk is full.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Bytes that are read at once.
const BLOCK: u64 = 256 << 10;

#[derive(Debug)]
pub(super) struct Spool {
    file: Arc<File>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that are in the file.
    written: u64,
    /// What comes behind them, in order.
    waiting: VecDeque<Bytes>,
    /// The directory has failed: nothing is added any more.
    lost: bool,
}

impl Spool {
    pub(super) fn new(file: File) -> Self {
        Self { file: Arc::new(file), state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a block that the directory is given next; false when that has failed, and nothing is noted.
    pub(super) fn give(&self, bytes: &Bytes) -> bool {
        let mut state = self.lock();
        if !state.lost {
            state.waiting.push_back(bytes.clone());
        }
        !state.lost
    }

    /// That the first of the blocks that wait is in the file.
    pub(super) fn wrote(&self) {
        let mut state = self.lock();
        let length = state.waiting.pop_front().map_or(0, |block| block.len() as u64);
        state.written += length;
    }

    /// That the directory has failed. What it had written can still be read.
    pub(super) fn lose(&self) {
        self.lock().lost = true;
    }

    /// Bytes from `offset` on, which were given before.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) async fn read(&self, offset: u64) -> io::Result<Bytes> {
        let written = {
            let state = self.lock();
            if let Some(bytes) = state.waiting_at(offset) {
                return Ok(bytes);
            }
            state.written
        };
        let length = usize::try_from((written - offset.min(written)).min(BLOCK)).unwrap_or_default();
        let file = Arc::clone(&self.file);
        let reading = tokio::task::spawn_blocking(move || {
            let mut block = vec![0; length];
            file.read_exact_at(&mut block, offset)?;
            Ok(Bytes::from(block))
        });
        reading.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl State {
    fn waiting_at(&self, offset: u64) -> Option<Bytes> {
        let mut begin = self.written;
        for block in &self.waiting {
            let end = begin + block.len() as u64;
            if (begin..end).contains(&offset) {
                return Some(block.slice(usize::try_from(offset - begin).ok()?..));
            }
            begin = end;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn what_is_written_and_what_waits_are_read_alike_and_outlive_the_files_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("partial");
        let mut file = File::create(&path).unwrap();
        let spool = Spool::new(File::open(&path).unwrap());
        for block in [&b"abc"[..], b"defg", b"hi"] {
            assert!(spool.give(&Bytes::copy_from_slice(block)));
        }
        file.write_all(b"abcdefg").unwrap();
        spool.wrote();
        spool.wrote();
        spool.lose();
        assert!(!spool.give(&Bytes::from_static(b"jk")));
        std::fs::remove_file(&path).unwrap();
        for (offset, bytes) in [(0, &b"abcdefg"[..]), (4, b"efg"), (7, b"hi"), (8, b"i")] {
            assert_eq!(spool.read(offset).await.unwrap(), bytes, "{offset}");
        }
    }
}
