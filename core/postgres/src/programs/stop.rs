//! The word to stop, which reaches every program that runs.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

/// A run's word to stop. Clones are the same one. Once it is set it stays set.
#[derive(Clone, Debug)]
pub struct Stop {
    shared: Option<Arc<Shared>>,
    /// How much later than the word a program hears it.
    grace: Duration,
}

#[derive(Debug)]
struct Shared {
    /// Becomes readable when the word is given, and stays so: nothing ever reads it.
    event: OwnedFd,
    told: OnceLock<(&'static str, Instant)>,
}

impl Stop {
    /// One that can be set.
    ///
    /// # Errors
    /// When the process may open no more files.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Some(Arc::new(Shared { event, told: OnceLock::new() }));
        Ok(Self { shared, grace: Duration::ZERO })
    }

    /// One that is never set, for what has to run to its end.
    #[must_use]
    pub fn never() -> Self {
        Self { shared: None, grace: Duration::ZERO }
    }

    /// The same word, heard so much later: for what is better brought to its end, but not waited for without end.
    #[must_use]
    pub fn after(&self, grace: Duration) -> Self {
        Self { grace, ..self.clone() }
    }

    /// Ends every program that heeds this word. `signal` names what gave it, such as `SIGTERM`; the first one counts.
    pub fn set(&self, signal: &'static str) {
        let Some(shared) = &self.shared else { return };
        // The name first: a program that ends of it must find it.
        if shared.told.set((signal, Instant::now())).is_ok() {
            // An event that nothing reads has room for the one number that is ever written.
            let _ = rustix::io::write(&shared.event, &1_u64.to_ne_bytes());
        }
    }

    /// The signal that gave the word, if it was given and is to be heard.
    #[must_use]
    pub fn signal(&self) -> Option<&'static str> {
        let (signal, _) = self.told()?;
        self.left().is_zero().then_some(signal)
    }

    /// Whether this one can't be set at all.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.shared.is_none()
    }

    /// Whether what heeds this word goes on a little after it, or to its end.
    #[must_use]
    pub fn is_lenient(&self) -> bool {
        self.is_never() || !self.grace.is_zero()
    }

    /// Blocks until `input` has something to read, or the word is given, whose signal it returns then.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn or_readable(&self, input: impl AsFd) -> io::Result<Option<&'static str>> {
        self.or_ready(input, PollFlags::IN, None)
    }

    /// Blocks until `file` is ready for this, or the word is given, whose signal it returns then.
    ///
    /// # Errors
    /// When the system can't tell; [`io::ErrorKind::TimedOut`] at the moment `until`.
    pub(crate) fn or_ready(
        &self,
        file: impl AsFd,
        ready: PollFlags,
        until: Option<Instant>,
    ) -> io::Result<Option<&'static str>> {
        let told = self.event().map(|event| PollFd::from_borrowed_fd(event, PollFlags::IN));
        let mut watched: Vec<PollFd<'_>> =
            [Some(PollFd::from_borrowed_fd(file.as_fd(), ready)), told].into_iter().flatten().collect();
        loop {
            let left = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
            match poll(&mut watched, left.as_ref()) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(self.signal()),
            }
        }
    }

    /// Sleeps so long, or until the word is given, whose signal it returns then.
    #[must_use]
    pub fn sleep(&self, pause: Duration) -> Option<&'static str> {
        let Some(event) = self.event() else {
            std::thread::sleep(pause);
            return None;
        };
        let until = Instant::now() + pause;
        let mut told = [PollFd::from_borrowed_fd(event, PollFlags::IN)];
        loop {
            let left = timespec(until.saturating_duration_since(Instant::now()));
            if poll(&mut told, Some(&left)) != Err(Errno::INTR) {
                return self.signal();
            }
        }
    }

    /// What becomes readable when the word is given; `None` where it never is.
    pub(super) fn event(&self) -> Option<BorrowedFd<'_>> {
        self.shared.as_ref().map(|shared| shared.event.as_fd())
    }

    /// How long what heeds this word still goes on, once it was given.
    pub(super) fn left(&self) -> Duration {
        self.told().map_or(self.grace, |(_, at)| self.grace.saturating_sub(at.elapsed()))
    }

    fn told(&self) -> Option<(&'static str, Instant)> {
        self.shared.as_ref()?.told.get().copied()
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() }
}

#[cfg(test)]
mod tests {
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
    fn one_with_a_grace_is_heard_later() {
        let stop = Stop::new().unwrap();
        let later = stop.after(Duration::from_millis(40));
        stop.set("SIGTERM");
        assert_eq!((stop.signal(), later.signal()), (Some("SIGTERM"), None));
        assert!(later.is_lenient() && !stop.is_lenient() && Stop::never().is_lenient());
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(later.signal(), Some("SIGTERM"));
    }

    #[test]
    fn waiting_for_input_ends_at_the_word_or_with_the_input() {
        let stop = Stop::new().unwrap();
        let (input, output) = std::io::pipe().unwrap();
        rustix::io::write(&output, b"yes\n").unwrap();
        assert_eq!(stop.or_readable(&input).unwrap(), None);
        let (silent, _output) = std::io::pipe().unwrap();
        assert_eq!(stop.sleep(Duration::from_millis(5)), None);
        stop.set("SIGINT");
        assert_eq!(stop.sleep(Duration::from_secs(60)), Some("SIGINT"));
        assert_eq!(stop.or_readable(&silent).unwrap(), Some("SIGINT"));
    }

    #[test]
    fn one_that_is_never_set_has_no_event() {
        let never = Stop::never();
        never.set("SIGTERM");
        assert_eq!((never.signal(), never.event().is_none(), never.is_never()), (None, true, true));
    }
}
