//! The word to stop, which reaches every program that runs.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};

use rustix::event::{EventfdFlags, eventfd};

/// A run's word to stop. Clones are the same one. Once it is set it stays set.
#[derive(Clone, Debug)]
pub struct Stop(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    /// Becomes readable when the word is given, and stays so: nothing ever reads it.
    event: OwnedFd,
    signal: OnceLock<&'static str>,
}

impl Stop {
    /// One that can be set.
    ///
    /// # Errors
    /// When the process may open no more files.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Some(Arc::new(Shared { event, signal: OnceLock::new() }))))
    }

    /// One that is never set, for what has to run to its end.
    #[must_use]
    pub fn never() -> Self {
        Self(None)
    }

    /// Ends every program that heeds this word. `signal` names what gave it, such as `SIGTERM`; the first one counts.
    pub fn set(&self, signal: &'static str) {
        let Some(shared) = &self.0 else { return };
        // The name first: a program that ends of it must find it.
        if shared.signal.set(signal).is_ok() {
            // An event that nothing reads has room for the one number that is ever written.
            let _ = rustix::io::write(&shared.event, &1_u64.to_ne_bytes());
        }
    }

    /// The signal that gave the word, if it was given.
    #[must_use]
    pub fn signal(&self) -> Option<&'static str> {
        self.0.as_ref()?.signal.get().copied()
    }

    /// Whether this one can't be set at all.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.0.is_none()
    }

    /// What becomes readable when the word is given; `None` where it never is.
    pub(super) fn event(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(|shared| shared.event.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_readable(stop: &Stop) -> bool {
        let mut event = [PollFd::from_borrowed_fd(stop.event().unwrap(), PollFlags::IN)];
        poll(&mut event, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
    }

    #[test]
    fn a_stop_that_is_set_stays_set_for_every_clone() {
        let stop = Stop::new().unwrap();
        let clone = stop.clone();
        assert_eq!((clone.signal(), is_readable(&clone)), (None, false));
        stop.set("SIGTERM");
        stop.set("SIGINT");
        for _ in 0..2 {
            assert_eq!((clone.signal(), is_readable(&clone)), (Some("SIGTERM"), true));
        }
    }

    #[test]
    fn one_that_is_never_set_has_no_event() {
        let never = Stop::never();
        never.set("SIGTERM");
        assert_eq!((never.signal(), never.event().is_none(), never.is_never()), (None, true, true));
    }
}
