//! The history of each database, and once a day the page for people: `status/history/*.json`, `status/report.html`, `status/report.json`.
//!
//! Nothing decides by them: what goes wrong with them is a warning, fails no run, and comes after the messages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::history::{Day, DayVerdict, History, PastDrill, day_of};
use catalog::{DatabaseEntry, StatusRecord, Thresholds};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use report::{Asked, Report, Wanted};
use repository::{Error, Repository};
use tokio::task::JoinSet;

use super::found::Found;
use super::limits::Limits;
use crate::findings::Gauge;

/// Of how many backups the page has the records: three requests each at most, once a day.
const RECORDS: usize = 500;
/// Histories that are written in one run; the next one goes on.
const NOTED: usize = 250;
/// Histories that are written at the same time.
const AT_ONCE: usize = 8;

/// Writes them, and remembers what it has written.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    repository: Repository,
    limits: Limits,
    /// Databases that are shown even where nothing is stored of them.
    named: Vec<String>,
    /// What was noted of each database, by this process.
    noted: Arc<Mutex<BTreeMap<String, History>>>,
    /// The day of which this process has made, or tried to make, the page.
    made: Arc<Mutex<Option<Date>>>,
}

impl Pages {
    pub(super) fn new(repository: Repository, limits: Limits, named: Vec<String>) -> Self {
        Self { repository, limits, named, noted: Arc::default(), made: Arc::default() }
    }

    /// Notes how each database is, and makes today's page where there is none yet.
    pub(super) async fn write(&self, found: &Found, standing: &[String], now: Timestamp) {
        self.note(&found.measured.gauges, now).await;
        let today = day_of(now);
        let is_made = found.measured.page.is_some_and(|made| day_of(made) >= today);
        if is_made || self.made.lock().unwrap_or_else(PoisonError::into_inner).replace(today) == Some(today) {
            return;
        }
        if let Err(error) = self.make(standing, now).await {
            tracing::warn!("today's page was not made: {error}; hint: make deploy, for the policies of this version");
        }
    }

    async fn make(&self, standing: &[String], now: Timestamp) -> Result<(), Error> {
        let asked = |_: &str, mark: Option<&DatabaseEntry>| self.asked(mark);
        let wanted = Wanted {
            chosen: &|_| true,
            named: self.named.clone(),
            asked: &asked,
            records: RECORDS,
            stack: standing.to_vec(),
        };
        let catalogs = self.repository.catalogs().await?;
        let report = report::gather(&self.repository, catalogs, &wanted, now).await?;
        self.store(&report).await
    }

    async fn store(&self, report: &Report) -> Result<(), Error> {
        let json = serde_json::to_vec(report).unwrap_or_default();
        self.repository.put_over(&self.repository.layout().status(StatusRecord::Report), json).await?;
        // Last: by it the next run sees that both are there.
        self.repository.put_page(report::page(report)).await?;
        Ok(())
    }

    fn asked(&self, mark: Option<&DatabaseEntry>) -> Asked {
        let hours = mark.and_then(|mark| mark.max_age_hours).map(|hours| SignedDuration::from_hours(hours.into()));
        let thresholds = Thresholds {
            max_age: hours.unwrap_or(self.limits.max_age),
            min_size: mark.and_then(|mark| mark.min_size),
            min_count: 0,
        };
        Asked { thresholds, counts_days: false, max_drill_age: self.limits.drill_max_age, policy: None }
    }

    /// Only what is news is written: a warm function remembers, and a cold one reads.
    async fn note(&self, gauges: &[Gauge], now: Timestamp) {
        let histories = gauges.iter().filter(|gauge| gauge.trouble.is_none()).map(|gauge| history(gauge, now));
        let news: Vec<History> = {
            let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            histories.filter(|history| noted.get(&history.database) != Some(history)).take(NOTED).collect()
        };
        let mut waiting = news.into_iter();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some(history) = waiting.next()
            {
                let repository = self.repository.clone();
                under_way.spawn(async move { (repository.note_history(&history, now).await, history) });
            }
            match under_way.join_next().await {
                None => return,
                Some(Ok((Err(error), history))) => {
                    tracing::warn!("the history of {} is not written: {error}", history.database);
                    self.remember(history);
                }
                Some(Ok((Ok(_), history))) => self.remember(history),
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            }
        }
    }

    fn remember(&self, history: History) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.insert(history.database.clone(), history);
    }
}

/// How a database is, as its history has it.
fn history(gauge: &Gauge, now: Timestamp) -> History {
    let asked = gauge.drilled.finding.iter().filter(|_| gauge.drilled.unproved.is_some());
    let verdict = DayVerdict::of(gauge.finding.iter().chain(asked));
    let damaged = (gauge.lost > 0 && gauge.newest_good.is_some()).then_some(DayVerdict::Damaged);
    let small = gauge.is_too_small().then_some(DayVerdict::Warned);
    let verdict = [damaged, small].into_iter().flatten().fold(verdict, DayVerdict::max);
    let newest = gauge.newest_good.as_ref();
    let day = Day {
        backup: newest.map(|newest| newest.name.clone()),
        made: newest.map(|newest| newest.made),
        size: gauge.proof.map(|proof| proof.size),
        rows: gauge.proof.and_then(|proof| proof.extent).map(|extent| extent.rows),
        ..Day::at(now, verdict)
    };
    let drills = gauge.drilled.last.iter().map(PastDrill::of).collect();
    History { days: vec![day], drills, ..History::new(&gauge.database) }
}
