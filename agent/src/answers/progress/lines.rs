//! Progress in a log: a line each half minute.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use catalog::words;

/// How long it is silent between two lines. A run that is shorter says nothing of its progress.
const PAUSE: Duration = Duration::from_secs(30);

/// What is told now and then.
#[derive(Debug)]
pub(super) struct Lines {
    kind: Kind,
    total: u64,
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Kind {
    Bytes,
    /// Of what.
    Steps(String),
}

#[derive(Debug)]
struct State {
    done: u64,
    at: String,
    next: Instant,
}

impl Lines {
    /// About `total` bytes.
    pub(super) fn of_bytes(total: u64) -> Self {
        Self::new(Kind::Bytes, total, Instant::now())
    }

    /// About `total` things of the kind `what`.
    pub(super) fn of_steps(what: &str, total: u64) -> Self {
        Self::new(Kind::Steps(what.to_owned()), total, Instant::now())
    }

    fn new(kind: Kind, total: u64, begun: Instant) -> Self {
        let state = State { done: 0, at: String::new(), next: begun + PAUSE };
        Self { kind, total, begun, state: Mutex::new(state) }
    }

    /// So much more is done.
    pub(super) fn add(&self, more: u64) {
        self.change(|state| state.done = state.done.saturating_add(more));
    }

    /// So much is done in all.
    pub(super) fn reach(&self, done: u64) {
        self.change(|state| state.done = done);
    }

    /// What is worked at.
    pub(super) fn at(&self, what: &str) {
        self.change(|state| what.clone_into(&mut state.at));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        if let Some(line) = self.line_at(Instant::now(), change) {
            tracing::info!("{line}");
        }
    }

    /// The line that is due now, if one is.
    fn line_at(&self, now: Instant, change: impl FnOnce(&mut State)) -> Option<String> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        (now >= state.next).then(|| {
            state.next = now + PAUSE;
            self.line(&state, now.duration_since(self.begun))
        })
    }

    fn line(&self, State { done, at, .. }: &State, took: Duration) -> String {
        let at = if at.is_empty() { String::new() } else { format!("; {at}") };
        match &self.kind {
            Kind::Steps(what) => format!("{what}: {done} of {}{at}", self.total),
            Kind::Bytes => {
                let percent = done.saturating_mul(100) / self.total.max(1);
                let rate = (*done as f64 / took.as_secs_f64().max(0.001)) as u64;
                let left = self.total.saturating_sub(*done) / rate.max(1);
                let (done, total, rate) = (words::size(*done), words::size(self.total), words::size(rate));
                format!("{done} of {total} read ({percent}%), {rate}/s, about {} left{at}", in_words(left))
            }
        }
    }
}

/// A time that is only estimated.
fn in_words(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_each_half_minute_and_estimates_by_the_whole_way() {
        let begun = Instant::now();
        let lines = Lines::new(Kind::Bytes, 400 << 20, begun);
        let after = |seconds| begun + Duration::from_secs(seconds);
        let add = |state: &mut State| state.done += 100 << 20;
        assert_eq!(lines.line_at(after(29), add), None);
        let line = lines.line_at(after(50), |state| "public.orders".clone_into(&mut state.at)).unwrap();
        assert_eq!(
            line,
            "100.0 MiB of 400.0 MiB read (25%), 2.0 MiB/s, about 150 s left; public.orders".replace("150 s", "3 min")
        );
        assert_eq!(lines.line_at(after(79), add), None);
        assert!(lines.line_at(after(80), add).unwrap().contains("about 26 s left"));
    }

    #[test]
    fn steps_are_counted() {
        let begun = Instant::now();
        let lines = Lines::new(Kind::Steps("indexes".to_owned()), 40, begun);
        let line = lines.line_at(begun + PAUSE, |state| state.done = 12);
        assert_eq!(line.as_deref(), Some("indexes: 12 of 40"));
        assert_eq!(in_words(7_260), "2 h 1 min");
    }
}
