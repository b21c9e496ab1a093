//! How long an invocation may work.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use tokio::time::{Instant, timeout_at};

use crate::Failure;

/// Time kept for the verdict or the saved place, the metrics and the message; at most a quarter of the whole.
const RESERVE: Duration = Duration::from_secs(20);
/// Of that, the time kept for the invocation's answer alone; at most a quarter.
const LAST: Duration = Duration::from_secs(5);
/// Lambda's longest time. It stands in for a deadline that has passed before the beginning, as `cargo lambda watch`
/// gives.
const LONGEST: Duration = Duration::from_secs(900);

/// An invocation's time.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    began: Instant,
    whole: Duration,
}

impl Deadline {
    /// The time Lambda gives this invocation, beginning now.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        let deadline = UNIX_EPOCH + Duration::from_millis(context.deadline);
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Self::within(if left.is_zero() { LONGEST } else { left.min(LONGEST) })
    }

    /// This much time, beginning now.
    #[must_use]
    pub fn within(whole: Duration) -> Self {
        Self { began: Instant::now(), whole }
    }

    /// When work has to stop.
    #[must_use]
    pub fn stop(&self) -> Instant {
        self.began + self.until_stop()
    }

    /// How long work may take in all.
    #[must_use]
    pub fn until_stop(&self) -> Duration {
        self.whole - RESERVE.min(self.whole / 4)
    }

    /// Work that may last until it has to stop.
    ///
    /// # Errors
    /// [`Failure::OutOfTime`] with what follows from that, where it isn't done by then; otherwise those of the work.
    pub(crate) async fn within_work<T>(
        &self,
        so: &'static str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let seconds = self.until_stop().as_secs();
        timeout_at(self.stop(), work).await.unwrap_or(Err(Failure::OutOfTime { seconds, so }))
    }

    /// What comes after the work, and may last until the invocation has to answer: later Lambda ends it without a word.
    ///
    /// # Errors
    /// As [`Deadline::within_work`].
    pub(crate) async fn within_reserve<T>(
        &self,
        so: &'static str,
        telling: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let whole = self.whole - LAST.min(self.whole / 16);
        timeout_at(self.began + whole, telling)
            .await
            .unwrap_or(Err(Failure::OutOfTime { seconds: whole.as_secs(), so }))
    }

    /// Whether work has to stop now.
    #[must_use]
    pub fn is_near(&self) -> bool {
        Instant::now() >= self.stop()
    }

    /// Whether less than a tenth of the time is used: work that begins now gets almost as much as any invocation has.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.began.elapsed() < self.whole / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_stops_twenty_seconds_before_the_end_or_at_three_quarters_of_a_short_time() {
        for (whole, stop) in [(900, 880_000), (60, 45_000), (5, 3_750)] {
            let deadline = Deadline::within(Duration::from_secs(whole));
            assert_eq!(deadline.stop() - deadline.began, Duration::from_millis(stop));
        }
    }

    #[test]
    fn a_deadline_that_has_passed_before_the_beginning_says_nothing() {
        assert!(!Deadline::of(&Context::default()).is_near());
    }
}
