//! Pipes from pg_dump and to pg_restore, which write and read 4 KiB at a time. Whoever keeps up with that at the other end is
//! woken for nearly each of them, and waking somebody is time in which a program doesn't dump or restore. So the pipes are
//! large, and both ends of them let some gather first.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout};
use std::thread::sleep;
use std::time::Duration;

/// In bytes. The kernel gives an unprivileged process that much.
const SIZE: usize = 1 << 20;
/// What is read or written at once, if it can be.
const GULP: usize = SIZE / 4;
/// How long to let it gather: a pipe can neither fill up nor run dry in it.
const GATHERING: Duration = Duration::from_millis(1);
/// How often to wait for room before a write waits for it. A reader that is gone makes none, and only a write says so.
const PAUSES: usize = 100;

/// One of our ends of a pipe.
pub(crate) struct Roomy<P> {
    pipe: P,
    /// It has the size that leaves room for bytes to gather.
    is_roomy: bool,
}

impl<P: AsFd> Roomy<P> {
    pub(crate) fn new(pipe: P) -> Self {
        // A smaller pipe is only slower.
        let is_roomy = rustix::pipe::fcntl_setpipe_size(&pipe, SIZE).is_ok();
        Self { pipe, is_roomy }
    }

    /// Bytes in the pipe.
    fn waiting(&self) -> io::Result<u64> {
        Ok(rustix::io::ioctl_fionread(&self.pipe)?)
    }
}

impl Roomy<ChildStdout> {
    /// Fills `block` up to `size` bytes. It stays shorter only at the end of what the program writes.
    ///
    /// # Errors
    /// Of the pipe.
    pub(crate) fn fill(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<()> {
        while block.len() < size {
            // Asked for more than is there, a pipe gives what is there; asked for one byte, it waits for one.
            let waiting = self.waiting()?.max(1);
            let missing = (size - block.len()) as u64;
            let read = (&mut self.pipe).take(waiting.min(missing)).read_to_end(block)?;
            if read == 0 {
                return Ok(());
            }
            if self.is_roomy && read < GULP.min(missing as usize) {
                sleep(GATHERING);
            }
        }
        Ok(())
    }
}

impl Roomy<ChildStdin> {
    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// Of the pipe.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        for gulp in bytes.chunks(GULP) {
            for _ in 0..PAUSES {
                if !self.is_roomy || self.waiting()? <= (SIZE - GULP) as u64 {
                    break;
                }
                sleep(GATHERING);
            }
            self.pipe.write_all(gulp)?;
        }
        Ok(())
    }
}
