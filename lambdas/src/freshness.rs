//! The freshness function measures how old each expected database's newest good backup is, and its newest backup at
//! all.
//!
//! It costs one listing of the databases, and for each of them one small object and the listings of its last days:
//! requests grow with the databases, not with the backups. It keeps no state. The one scheduled run in whose interval a
//! database became stale sends a message. If that message is lost, the alarm still tells: it stays on until all is well
//! again.

#[cfg(test)]
mod tests;

use catalog::freshness::check;
use catalog::{Catalog, Freshness, Thresholds, catalogs};
use jiff::{SignedDuration, Timestamp};
use repository::Scope;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::expected::Expected;
use crate::findings::{Gauge, LastGood};
use crate::{Action, Cloud, Environment, Event, Failure, Malformed, message, metric};

/// The time between two scheduled runs, as in `infra/template.yaml`.
const INTERVAL: SignedDuration = SignedDuration::from_mins(15);

/// Databases that are measured at the same time.
const AT_ONCE: usize = 8;

/// The freshness function.
#[derive(Clone, Debug)]
pub struct Measuring {
    cloud: Cloud,
    max_age: SignedDuration,
}

impl Measuring {
    /// Makes the function ready for invocations.
    ///
    /// # Errors
    /// When a setting is invalid.
    pub fn new(cloud: Cloud, environment: &Environment<'_>) -> Result<Self, Failure> {
        let default = Thresholds::default().max_age.as_secs();
        let seconds: u32 =
            environment.parsed("LASTGOOD_MAX_AGE_SECONDS", u32::try_from(default).unwrap_or(u32::MAX))?;
        Ok(Self { cloud, max_age: SignedDuration::from_secs(seconds.into()) })
    }

    /// Measures all databases and publishes their ages. Only the scheduled run sends messages.
    ///
    /// # Errors
    /// When anything failed, after everything was tried.
    pub async fn run(&self, payload: &Value) -> Result<Value, Failure> {
        let scheduled = match Event::read(payload)? {
            Event::Scheduled(scheduled) if scheduled.action == Action::Measure => Some(scheduled),
            Event::Scheduled(other) => return Err(Malformed::not_for("freshness", other.action).into()),
            Event::Arrivals(_) | Event::Queued(_) => None,
            Event::Nothing => return Ok(Value::Null),
        };
        let now = Timestamp::now();
        let (gauges, retired) = self.measure(now).await?;
        let mut failures: Vec<Failure> = Vec::new();
        failures.extend(self.cloud.publish(&metric::measured(&gauges, retired)).await.err());
        if let Some(scheduled) = scheduled {
            let at = scheduled.scheduled.unwrap_or(now);
            let turned: Vec<&Gauge> = gauges.iter().filter(|gauge| gauge.turned_stale(self.max_age, at)).collect();
            if let Some(message) = message::stale(&turned, now) {
                failures.extend(self.cloud.tell(&message).await.err());
            }
        }
        Failure::all(failures)?;
        Ok(json!({"databases": gauges.iter().map(Gauge::to_json).collect::<Vec<_>>()}))
    }

    /// Every expected database's gauge, and how many are retired. A database that cannot be measured may be stale, and
    /// the oldest of the others would look healthy: so nothing is published then, and missing data raises the alarm.
    async fn measure(&self, now: Timestamp) -> Result<(Vec<Gauge>, usize), Failure> {
        let repository = &self.cloud.repository;
        let marks = catalogs(repository.layout(), repository.objects(Scope::Databases).await?);
        let (mut gauges, mut retired, mut failures) = (Vec::new(), 0, Vec::new());
        for measured in self.measure_each(marks, now).await {
            match measured {
                Ok(Some(gauge)) => gauges.push(gauge),
                Ok(None) => retired += 1,
                Err(failure) => failures.push(failure),
            }
        }
        gauges.iter().for_each(Gauge::log);
        Failure::all(failures).map(|()| (gauges, retired))
    }

    /// The measurements of these databases, in their order, a few at the same time.
    async fn measure_each(&self, marks: Vec<Catalog>, now: Timestamp) -> Vec<Result<Option<Gauge>, Failure>> {
        let mut waiting = marks.into_iter().enumerate();
        let (mut under_way, mut measured) = (JoinSet::new(), Vec::new());
        loop {
            while under_way.len() < AT_ONCE
                && let Some((place, marked)) = waiting.next()
            {
                let measuring = self.clone();
                under_way.spawn(async move { (place, measuring.measure_one(marked, now).await) });
            }
            match under_way.join_next().await {
                None => break,
                Some(Ok(one)) => measured.push(one),
                // Nothing aborts these tasks, so it is a panic, and goes on as one: the invocation fails.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        measured.sort_by_key(|(place, _)| *place);
        measured.into_iter().map(|(_, gauge)| gauge).collect()
    }

    async fn measure_one(&self, marked: Catalog, now: Timestamp) -> Result<Option<Gauge>, Failure> {
        let repository = &self.cloud.repository;
        let catalog = repository.recent(&marked.database, now).await?;
        let catalog = Catalog { expected: marked.expected, ..catalog };
        Ok(match Expected::read(repository, &catalog, now).await? {
            Expected::Yes(entry) => Some(Gauge::of(&catalog, self.max_age, Some(entry.since), now)),
            Expected::Retired | Expected::Never => None,
        })
    }
}

impl Gauge {
    fn of(catalog: &Catalog, max_age: SignedDuration, since: Option<Timestamp>, now: Timestamp) -> Self {
        let thresholds = Thresholds { max_age, min_size: 0, min_count: 0 };
        Self {
            database: catalog.database.clone(),
            good: Freshness::of_good(catalog, now),
            uploaded: Freshness::of_uploaded(catalog, now),
            finding: check(catalog, &thresholds, now).into_iter().next(),
            newest_good: catalog.newest_good(now).map(LastGood::from),
            since,
        }
    }

    /// Whether the database became stale within the interval that ended at `at`: true for just one of the scheduled
    /// runs. Where there never was a good backup, the time counts from the database's first backup.
    fn turned_stale(&self, max_age: SignedDuration, at: Timestamp) -> bool {
        let newest = self.newest_good.as_ref().map(|good| good.made).or(self.since);
        let stale_for = newest.map(|newest| at.duration_since(newest).saturating_sub(max_age));
        self.finding.is_some() && stale_for.is_some_and(|so_long| so_long.is_positive() && so_long <= INTERVAL)
    }

    fn log(&self) {
        let (good, uploaded) = (seconds(&self.good), seconds(&self.uploaded));
        match &self.finding {
            Some(finding) => tracing::warn!(database = self.database, good, uploaded, "{finding}"),
            None => tracing::info!(database = self.database, good, uploaded, "fresh"),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "database": self.database, "ageOfNewestGoodSeconds": seconds(&self.good),
            "ageOfNewestUploadedSeconds": seconds(&self.uploaded), "newestGood": self.newest_good.as_ref().map(|good| &good.name),
            "finding": self.finding,
        })
    }
}

fn seconds(freshness: &Freshness) -> Option<i64> {
    freshness.age().map(|age| age.as_secs())
}
