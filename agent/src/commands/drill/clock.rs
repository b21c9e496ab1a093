//! How long each part of a drill takes, by a clock that cannot be set.

use std::time::{Duration, Instant};

use catalog::drill::TimedPart;

/// The parts so far.
#[derive(Debug, Default)]
pub(super) struct Clock {
    parts: Vec<TimedPart>,
}

impl Clock {
    /// Does a part, and notes its time, also when it fails.
    pub(super) fn time<T>(&mut self, name: &str, part: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = part();
        self.note(name, begun.elapsed());
        done
    }

    pub(super) fn note(&mut self, name: &str, duration: Duration) {
        self.parts.push(TimedPart { name: name.to_owned(), duration });
    }

    pub(super) fn parts(&self) -> &[TimedPart] {
        &self.parts
    }
}
