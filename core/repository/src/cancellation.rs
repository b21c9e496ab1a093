//! The word to stop, as requests hear it: whatever waits for a store ends when a run is told to.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::Error;

/// What told a run to stop, and when.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The signal's name, such as `SIGTERM`.
    pub signal: &'static str,
    /// When it came.
    pub at: Instant,
}

/// A run's word to stop. Clones hear the same one.
#[derive(Clone, Debug, Default)]
pub struct Cancellation {
    told: Option<watch::Receiver<Option<Told>>>,
    /// How much longer than the word work goes on.
    grace: Duration,
}

impl Cancellation {
    /// Hears the word when `told` has it.
    #[must_use]
    pub fn new(told: watch::Receiver<Option<Told>>) -> Self {
        Self { told: Some(told), grace: Duration::ZERO }
    }

    /// One that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self::default()
    }

    /// The same word, heard so much later: for what is better brought to its end, and for clearing up.
    #[must_use]
    pub fn after(&self, grace: Duration) -> Self {
        Self { grace, ..self.clone() }
    }

    /// What `work` comes to, or the end of it when the word is heard first.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            signal = self.heard() => Err(Error::Interrupted(signal)),
            done = work => Ok(done),
        }
    }

    async fn heard(&self) -> &'static str {
        let Some(mut told) = self.told.clone() else { return std::future::pending().await };
        let said = match told.wait_for(Option::is_some).await.map(|said| *said) {
            Ok(Some(said)) => said,
            _ => return std::future::pending().await,
        };
        tokio::time::sleep(self.grace.saturating_sub(said.at.elapsed())).await;
        said.signal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_ends_at_the_word_and_what_clears_up_a_grace_later() {
        let (say, told) = watch::channel(None);
        let cancellation = Cancellation::new(told);
        assert_eq!(cancellation.or(async { 7 }).await.unwrap(), 7);
        let at = Instant::now();
        say.send(Some(Told { signal: "SIGTERM", at })).unwrap();
        let forever = || std::future::pending::<()>();
        assert!(matches!(cancellation.or(forever()).await, Err(Error::Interrupted("SIGTERM"))));
        let later = cancellation.after(Duration::from_millis(80));
        assert_eq!(later.or(async { 7 }).await.unwrap(), 7);
        assert!(later.or(forever()).await.is_err());
        assert!((80..2_000).contains(&at.elapsed().as_millis()), "{:?}", at.elapsed());
    }

    #[tokio::test]
    async fn one_that_never_comes_lets_work_be_done() {
        assert_eq!(Cancellation::never().or(async { 7 }).await.unwrap(), 7);
    }
}
