//! How long a request is tried: once and three times more after 5, 10 and 20 s, jittered, when the store answers that
//! it cannot now; and on at the last pace, within a budget, when the network is unreachable. The word to stop ends it at any
//! moment.

use std::time::{Duration, Instant};

use crate::{Cancellation, Error};

/// The pause where clearing up is tried again and nothing else is.
const SHORT: Duration = Duration::from_millis(500);

/// The patience of every request. `Default` is what the documentation promises.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The pause after the first failure; it doubles twice and then stays. Default 5 s.
    pub base_delay: Duration,
    /// Further tries when the store answers with a passing failure. Default 3.
    pub retries: u32,
    /// How long an unreachable store is waited for, counted from a request's first failure. Default 15 min.
    pub network_budget: Duration,
    /// What ends every request and every pause. Default: nothing.
    pub cancellation: Cancellation,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            base_delay: Duration::from_secs(5),
            retries: 3,
            network_budget: Duration::from_secs(15 * 60),
            cancellation: Cancellation::never(),
        }
    }
}

impl Retry {
    /// Waits for an unreachable store as long as `network_budget`; when that is zero, nothing is tried twice.
    #[must_use]
    pub fn within(network_budget: Duration, base_delay: Duration) -> Self {
        let patient = Self { base_delay, network_budget, ..Self::default() };
        if network_budget.is_zero() { patient.once() } else { patient }
    }

    /// Every request has one try: for who wants to know now.
    #[must_use]
    pub fn once(self) -> Self {
        Self { retries: 0, network_budget: Duration::ZERO, ..self }
    }

    /// The same pace, but no waiting for an unreachable network: for cleaning up after that wait has been in vain. Where nothing
    /// is tried twice this is, at short intervals: what stays behind costs money.
    pub(crate) fn for_clearing(&self) -> Self {
        let longest = if self.retries == 0 { SHORT } else { self.base_delay };
        let (retries, base_delay) = (self.retries.max(Self::default().retries), self.base_delay.min(longest));
        Self { network_budget: Duration::ZERO, retries, base_delay, ..self.clone() }
    }

    /// The same patience, for what goes on so much longer when the run is told to stop.
    pub(crate) fn with_grace(&self, grace: Duration) -> Self {
        Self { cancellation: self.cancellation.after(grace), ..self.clone() }
    }

    /// Runs `attempt` until it succeeds, fails for good, patience ends, or the run is told to stop; the last error is
    /// returned.
    pub(crate) async fn run<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut attempts = Attempts::new(self);
        loop {
            // On the heap: a request of the SDK is a future of many kilobytes.
            match self.cancellation.or(Box::pin(attempt())).await? {
                Ok(value) => return Ok(value),
                Err(error) => attempts.pause_after(error).await?,
            }
        }
    }
}

/// The failures of one request so far. Progress in between (a download that got further) starts a new count.
pub(crate) struct Attempts<'a> {
    retry: &'a Retry,
    failed: u32,
    first_failure: Option<Instant>,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(retry: &'a Retry) -> Self {
        Self { retry, failed: 0, first_failure: None }
    }

    /// Sleeps before the next try, or hands `error` back when there shall be none.
    pub(crate) async fn pause_after(&mut self, error: Error) -> Result<(), Error> {
        let since = *self.first_failure.get_or_insert_with(Instant::now);
        let delay = self.jittered_delay();
        let network_may_return = error.is_network() && since.elapsed() + delay < self.retry.network_budget;
        let tries_left = self.failed < self.retry.retries;
        if !error.is_retryable() || !(tries_left || network_may_return) {
            return Err(error);
        }
        self.failed += 1;
        tracing::warn!(failed = self.failed, delay_ms = delay.as_millis() as u64, "{error}; trying again");
        self.retry.cancellation.or(tokio::time::sleep(delay)).await
    }

    fn jittered_delay(&self) -> Duration {
        let doubled = self.retry.base_delay * 2u32.pow(self.failed.min(2));
        doubled.mul_f64(rand::random_range(0.8..1.2))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn quick() -> Retry {
        Retry::within(Duration::from_millis(300), Duration::from_millis(2))
    }

    async fn tries_until_giving_up(retry: &Retry, error: fn() -> Error) -> u32 {
        let tries = Cell::new(0);
        let outcome = retry
            .run(|| {
                tries.set(tries.get() + 1);
                async { Err::<(), _>(error()) }
            })
            .await;
        assert!(outcome.is_err());
        tries.get()
    }

    fn unavailable() -> Error {
        Error::Unavailable { object: "s3://b/k".into(), code: "SlowDown".into(), request_id: None }
    }

    fn network_away() -> Error {
        Error::NetworkAway { object: "s3://b/k".into(), cause: "connection refused".into() }
    }

    #[tokio::test]
    async fn a_passing_failure_gets_one_try_and_three_more() {
        assert_eq!(tries_until_giving_up(&quick(), unavailable).await, 4);
    }

    #[tokio::test]
    async fn a_lasting_failure_gets_one_try() {
        assert_eq!(
            tries_until_giving_up(&quick(), || Error::NoSuchBucket { bucket: "b".into(), endpoint: None }).await,
            1
        );
    }

    #[tokio::test]
    async fn an_absent_network_is_waited_for_until_the_budget_is_spent() {
        let started = Instant::now();
        assert!(tries_until_giving_up(&quick(), network_away).await > 8);
        assert!(started.elapsed() >= Duration::from_millis(250), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn without_a_budget_an_absent_network_still_gets_the_promised_tries() {
        assert_eq!(tries_until_giving_up(&quick().for_clearing(), network_away).await, 4);
    }

    #[tokio::test]
    async fn zero_minutes_mean_one_try_whatever_failed() {
        let retry = Retry::within(Duration::ZERO, Duration::from_secs(60));
        assert_eq!(tries_until_giving_up(&retry, network_away).await, 1);
        assert_eq!(tries_until_giving_up(&retry, unavailable).await, 1);
    }

    #[tokio::test]
    async fn the_word_to_stop_ends_a_pause_and_a_request_under_way() {
        let (say, told) = tokio::sync::watch::channel(None);
        let cancellation = Cancellation::new(told);
        let retry = Retry { cancellation, ..Retry::within(Duration::from_secs(900), Duration::from_secs(60)) };
        let at = Instant::now();
        let pausing = retry.run(|| async { Err::<(), _>(network_away()) });
        let asking = retry.run(std::future::pending::<Result<(), Error>>);
        let telling = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            say.send(Some(crate::Told { signal: "SIGINT", at })).unwrap();
        };
        let (paused, asked, ()) = tokio::join!(pausing, asking, telling);
        assert!(matches!((paused, asked), (Err(Error::Interrupted("SIGINT")), Err(Error::Interrupted("SIGINT")))));
        assert!(at.elapsed() < Duration::from_secs(5), "{:?}", at.elapsed());
    }

    #[test]
    fn delays_double_twice_and_stay_within_their_jitter() {
        let retry = Retry::default();
        for (failed, seconds) in [(0, 5.0), (1, 10.0), (2, 20.0), (9, 20.0)] {
            let attempts = Attempts { retry: &retry, failed, first_failure: None };
            let delay = attempts.jittered_delay().as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&delay), "{failed}: {delay}");
        }
    }
}
