//! A process named by a pidfd and not by its number: a signal can't reach another process that got the same number, and waiting
//! needs no ticks.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A child process. The handle stays valid when the process has ended.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Arc<OwnedFd>);

/// What came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// The process has ended.
    Ended,
    /// The event became readable.
    Event,
}

impl Handle {
    /// Of a child that hasn't been waited for, so that its number is its own.
    ///
    /// # Errors
    /// When the process may open no more files, or Linux is older than 5.3.
    pub(crate) fn of(child: &Child) -> io::Result<Self> {
        let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        Ok(Self(Arc::new(pidfd)))
    }

    /// Blocks until the process has ended or the event has become readable.
    pub(super) fn first_of(&self, event: BorrowedFd<'_>) -> First {
        let watched = |file| PollFd::from_borrowed_fd(file, PollFlags::IN);
        let mut both = [watched(self.0.as_fd()), watched(event)];
        while poll(&mut both, None) == Err(Errno::INTR) {}
        let [ended, told] = both;
        if ended.revents().is_empty() && !told.revents().is_empty() { First::Event } else { First::Ended }
    }

    /// Tells it to end, and kills it when it hasn't within `patience`. PostgreSQL's programs cancel their queries on SIGTERM and
    /// leave nothing behind; a network that is stuck may never let them end.
    pub(super) fn end_within(&self, patience: Duration) {
        self.signal(Signal::TERM);
        if !self.ends_within(patience) {
            self.kill();
        }
    }

    /// Tells it to end at once, and kills it when it hasn't within `patience`. A server leaves no shared memory behind then.
    pub(crate) fn quit_within(&self, patience: Duration) {
        self.signal(Signal::QUIT);
        if !self.ends_within(patience) {
            self.kill();
        }
    }

    /// Kills it.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Blocks until it has ended, but no longer than `patience`; whether it has.
    pub(crate) fn ends_within(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut ended = [PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut ended, Some(&left)) {
                Err(Errno::INTR) => {}
                found => return found.is_ok_and(|count| count > 0),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // It may have ended in this very moment, which is what was wanted.
        let _ = pidfd_send_signal(&self.0, signal);
    }
}
