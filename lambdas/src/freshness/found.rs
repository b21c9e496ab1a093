//! All that one run has found: the databases, the watchers, and who listens.

use catalog::Freshness;
use catalog::status::{Health, Run};
use catalog::watch::{DAILY_RUN, share_of_limit};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::limits::Limits;
use super::measure::Measured;
use crate::findings::{Gauge, Listeners, Standing, Watch};

/// What one run has found.
pub(super) struct Found {
    pub(super) measured: Measured,
    pub(super) watch: Watch,
    pub(super) listeners: Option<Listeners>,
    /// Whether somebody hears without them.
    pub(super) heard_elsewhere: bool,
    /// What an earlier run has left.
    pub(super) last: Health,
    /// When the first run was: from then on the others' runs are missed.
    pub(super) since: Timestamp,
}

impl Found {
    pub(super) fn new(
        measured: Measured,
        last: Health,
        listeners: Option<Listeners>,
        limits: &Limits,
        now: Timestamp,
    ) -> Self {
        let since = last.since.unwrap_or(now);
        let watch = watch(&measured, since, limits, now);
        Self { measured, watch, listeners, heard_elsewhere: limits.heard_elsewhere, last, since }
    }

    pub(super) fn log(&self) {
        self.measured.gauges.iter().for_each(Gauge::log);
    }

    /// The invocation's result.
    pub(super) fn to_json(&self, standing: &[Standing]) -> Value {
        json!({
            "databases": self.measured.gauges.iter().map(Gauge::to_json).collect::<Vec<_>>(),
            "standing": texts(standing),
            "unmarked": self.measured.unmarked,
            "listeners": self.listeners.map(|listeners| listeners.confirmed),
        })
    }
}

/// The sentences about what is wrong.
pub(super) fn texts(standing: &[Standing]) -> Vec<String> {
    standing.iter().filter(|standing| standing.stands).map(|standing| standing.text.clone()).collect()
}

/// The age of a daily run as a share of its limit.
pub(super) fn lateness(run: Option<&Run>, since: Timestamp, now: Timestamp) -> f64 {
    share_of_limit(run.and_then(finished), since, DAILY_RUN, now)
}

/// When a run last came to its end; `None` for one that only ever saw something and never did all of its work.
pub(super) fn finished(run: &Run) -> Option<Timestamp> {
    Some(run.finished).filter(|finished| *finished > Timestamp::UNIX_EPOCH)
}

/// How the watchers are: the sweep, retention, and the verdicts that grow old.
fn watch(measured: &Measured, since: Timestamp, limits: &Limits, now: Timestamp) -> Watch {
    let oldest = measured.sweep.as_ref().and_then(|sweep| sweep.oldest_verdict);
    let rereading = oldest.map_or(0.0, |oldest| share_of_limit(Some(oldest), since, limits.rereading, now));
    let [sweep, prune] = [&measured.sweep, &measured.prune].map(|run| lateness(run.as_ref(), since, now));
    Watch {
        retired: measured.retired.len(),
        overdue: sweep.max(prune).max(rereading),
        oldest_verdict: oldest.map(|oldest| now.duration_since(oldest).as_secs_f64()),
        asks_for_drills: limits.drill_max_age.is_some(),
    }
}

impl Gauge {
    fn log(&self) {
        let (good, uploaded, share) = (seconds(&self.good), seconds(&self.uploaded), self.share);
        match (&self.trouble, &self.finding) {
            (Some(trouble), _) => tracing::warn!(database = self.database, "{trouble}"),
            (None, Some(finding)) => tracing::warn!(database = self.database, good, uploaded, share, "{finding}"),
            (None, None) => tracing::info!(database = self.database, good, uploaded, share, "fresh"),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "database": self.database, "ageOfNewestGoodSeconds": seconds(&self.good),
            "ageOfNewestUploadedSeconds": seconds(&self.uploaded), "newestGood": self.newest_good.as_ref().map(|good| &good.name),
            "staleness": self.share, "drill": self.drilled.finding.as_ref().map(ToString::to_string), "damagedSinceGood": self.lost, "finding": self.finding, "trouble": self.trouble.as_ref().map(ToString::to_string),
        })
    }
}

fn seconds(freshness: &Freshness) -> Option<i64> {
    freshness.age().map(|age| age.as_secs())
}
