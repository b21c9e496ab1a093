//! Pipes from pg_dump and to pg_restore, which write and read 4 KiB at a time. A reader or writer that keeps up with that is woken
//! for nearly each of them, and waking one takes time in which the program doesn't dump or restore. So the pipes are wide, and
//! our ends of them let some bytes gather first.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout};
use std::thread::sleep;
use std::time::Duration;

/// Bytes in a pipe. The kernel gives an unprivileged process that much.
const SIZE: usize = 1 << 20;
/// Bytes that are read or written at once, where that many are there.
const CHUNK: usize = SIZE / 4;
/// How long to let it gather: a pipe can neither fill up nor run dry in it.
pub(crate) const GATHERING: Duration = Duration::from_millis(1);
/// How often to wait for room before a write waits for it. A reader that is gone makes none, and only a write says so.
const PAUSES: usize = 100;

/// Our end of a pipe, which holds up to a megabyte.
#[derive(Debug)]
pub struct WidePipe<P> {
    pipe: P,
    /// It has the size that leaves room for bytes to gather.
    is_wide: bool,
}

impl<P: AsFd> WidePipe<P> {
    /// Widens the pipe, where the system allows it.
    pub fn new(pipe: P) -> Self {
        // A smaller pipe is only slower.
        let is_wide = rustix::pipe::fcntl_setpipe_size(&pipe, SIZE).is_ok();
        Self { pipe, is_wide }
    }

    /// Bytes in the pipe.
    fn waiting(&self) -> io::Result<u64> {
        Ok(rustix::io::ioctl_fionread(&self.pipe)?)
    }
}

impl WidePipe<ChildStdout> {
    /// Whether there is room for bytes to gather while its reader pauses for [`GATHERING`].
    pub(crate) fn is_wide(&self) -> bool {
        self.is_wide
    }

    /// Reads what is there into `block`, up to `size` bytes in all, and waits only for the first. Returns how many; 0 at the end of
    /// what the program writes.
    ///
    /// # Errors
    /// When the pipe can't be read.
    pub(crate) fn read_some(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<usize> {
        // Asked for more than is there, a pipe gives what is there; asked for one byte, it waits for one.
        let waiting = self.waiting()?.max(1);
        let missing = size.saturating_sub(block.len()) as u64;
        (&mut self.pipe).take(waiting.min(missing)).read_to_end(block)
    }

    /// Fills `block` up to `size` bytes. It stays shorter only at the end of what the program writes.
    ///
    /// # Errors
    /// When the pipe can't be read.
    pub fn fill(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<()> {
        while block.len() < size {
            let missing = size - block.len();
            let read = self.read_some(block, size)?;
            if read == 0 {
                return Ok(());
            }
            if self.is_wide && read < CHUNK.min(missing) {
                sleep(GATHERING);
            }
        }
        Ok(())
    }
}

impl WidePipe<ChildStdin> {
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// When the pipe can't be written, because the program has closed it.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for chunk in bytes.chunks(CHUNK) {
            for _ in 0..PAUSES {
                if !self.is_wide || self.waiting()? <= (SIZE - CHUNK) as u64 {
                    break;
                }
                sleep(GATHERING);
            }
            self.pipe.write_all(chunk)?;
        }
        Ok(())
    }
}
