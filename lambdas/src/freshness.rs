//! The freshness function measures the state of each expected database's backups, tells people what has become wrong, and reminds
//! them until it is over.
//!
//! It costs one listing of the last days for all databases together, and for each of them its mark and its newest verdict, which a
//! warm function remembers: requests grow with the databases, not with the backups. Only a database without a good backup
//! in these days is asked about by itself, once a day.
//!
//! What was told stands in `status/freshness.json`, written when the messages are out: a run that is lost, or a message that nobody
//! accepted, is made up for by the next run. So everything is told at least once, and once as a rule.

mod cache;
mod drills;
mod found;
mod further;
mod gauge;
mod limits;
mod measure;
mod page;
mod shrinks;
mod standing;
mod tell;
#[cfg(test)]
mod tests;

use catalog::status::Health;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::timeout_at;

use self::found::Found;
use self::limits::Limits;
use self::measure::{Measured, Measurer};
use self::page::Pages;
use self::tell::Teller;
use crate::heartbeat::Heartbeat;
use crate::{Action, Cloud, Deadline, Environment, Event, Failure, Malformed, metric};

/// The freshness function.
#[derive(Clone, Debug)]
pub struct Measuring {
    cloud: Cloud,
    limits: Limits,
    measurer: Measurer,
    teller: Teller,
    pages: Pages,
    heartbeat: Heartbeat,
}

impl Measuring {
    /// Makes the function ready for invocations.
    ///
    /// # Errors
    /// When a setting is invalid.
    pub fn new(cloud: Cloud, environment: &Environment<'_>) -> Result<Self, Failure> {
        let limits = Limits::read(environment)?;
        let named = environment.list("LASTGOOD_EXPECTED_DATABASES");
        let pages = Pages::new(cloud.repository.clone(), limits, named.clone());
        let measurer = Measurer::new(cloud.repository.clone(), limits, named);
        let (teller, heartbeat) = (Teller::new(cloud.clone()), Heartbeat::read(environment)?);
        Ok(Self { cloud, limits, measurer, teller, pages, heartbeat })
    }

    /// Measures all databases and publishes their state. Only the scheduled run tells people.
    ///
    /// # Errors
    /// When anything failed, after everything was tried. Without the listing nothing is known, nothing is published, and missing
    /// data raises the alarm. [`Failure::OutOfTime`] where the store answers so slowly that Lambda would end it without a word.
    pub async fn run(&self, payload: &Value, deadline: Deadline) -> Result<Value, Failure> {
        let scheduled = match Event::read(payload)? {
            Event::Scheduled(scheduled) if scheduled.action == Action::Measure => Some(scheduled),
            Event::Scheduled(other) => return Err(Malformed::not_for("freshness", other.action).into()),
            Event::Arrivals(_) | Event::Queued(_) => None,
            Event::Nothing => return Ok(Value::Null),
        };
        let now = Timestamp::now();
        let measuring = deadline.within_work("nothing was measured", Box::pin(self.measure(now)));
        let (mut measured, last, unread) = measuring.await?;
        let knows_what_was_told = unread.is_none();
        let mut failures = std::mem::take(&mut measured.failures);
        failures.extend(unread);
        let listeners = self.cloud.listeners().await;
        // Whoever can't tell whether somebody hears doesn't say that all is well; a policy of before may not allow the question.
        let is_unasked = listeners.is_err();
        if let Err(failure) = &listeners {
            tracing::warn!("no heartbeat is sent: {failure}");
        }
        let found = Found::new(measured, last, listeners.ok().flatten(), &self.limits, now);
        found.log();
        let standing = standing::of(&found, &self.limits, self.cloud.name(), now);
        let telling = async {
            failures.extend(self.cloud.publish(&metric::measured(&found.measured.gauges, &found.watch)).await.err());
            let Some(scheduled) = scheduled.filter(|_| knows_what_was_told) else { return Ok(()) };
            failures.extend(self.teller.tell(&found, &standing, scheduled.scheduled.unwrap_or(now), now).await);
            if failures.is_empty() && !is_unasked && !standing.iter().any(|standing| standing.stands) {
                self.heartbeat.beat().await;
            }
            let texts = found::texts(&standing);
            let writing = timeout_at(deadline.stop(), Box::pin(self.pages.write(&found, &texts, now)));
            if writing.await.is_err() {
                tracing::warn!("the histories and the page were not all written: the store does not answer in time");
            }
            Ok(())
        };
        let told = deadline.within_reserve("not everybody was told; the next run tells them", Box::pin(telling)).await;
        failures.extend(told.err());
        Failure::all(failures)?;
        Ok(found.to_json(&standing))
    }

    /// How each database is, what the run before left, and why that could not be read.
    async fn measure(&self, now: Timestamp) -> Result<(Measured, Health, Option<Failure>), Failure> {
        let (last, unread) = match self.teller.last(now).await {
            Ok(last) => (last, None),
            Err(failure) => (Health::at(now), Some(failure)),
        };
        Ok((self.measurer.measure(&last, now).await?, last, unread))
    }
}
