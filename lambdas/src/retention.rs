//! The retention function plans what to keep for each database, says why, and removes the rest by version.
//!
//! `catalog` makes the plan and gives each reason; nothing here decides. A listing that breaks off plans nothing. A dry
//! run makes the same plan, and then removes, publishes and sends nothing.

mod account;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use catalog::freshness::could_be;
use catalog::retention::{Age, Plan, Unaccepted, goes_next, unaccepted};
use catalog::status::{GoesNext, Run, Shrunk};
use catalog::{Catalog, DatabaseEntry, Entry, Object, Origin, Policy, StatusRecord, catalogs};
use jiff::{SignedDuration, Timestamp};
use repository::{Error, Removal, Scope};
use serde_json::Value;

use self::account::{Agreed, agree, keep};
use crate::expected::expected;
use crate::findings::{LastGood, Pruned};
use crate::{Action, Cloud, Deadline, Environment, Event, Failure, Malformed, message, metric, status};

/// Backups removed between two looks at the clock.
const BATCH: usize = 50;

/// What a run has done whose time was up before its first removal, and a later one.
const NOTHING_REMOVED: &str = "nothing was removed";
const LEFT_FOR_THE_NEXT: &str = "what was not removed is left for the next run";

/// The retention function.
#[derive(Clone, Debug)]
pub struct Retention {
    cloud: Cloud,
    policy: Policy,
    /// How old the newest good backup of a database may be that has no limit of its own.
    max_age: SignedDuration,
    /// Databases that are expected whatever their marks say.
    named: Vec<String>,
}

/// What an invocation is to do.
#[derive(Clone, Copy, Debug)]
struct Task {
    dry_run: bool,
    /// Whether it is the daily run, which sends messages; runs after a verdict do not repeat them.
    daily: bool,
}

impl Retention {
    /// Makes the function ready for invocations.
    ///
    /// # Errors
    /// When a setting is invalid.
    pub fn new(cloud: Cloud, environment: &Environment<'_>) -> Result<Self, Failure> {
        let named = environment.list("LASTGOOD_EXPECTED_DATABASES");
        Ok(Self { cloud, policy: policy(environment)?, max_age: environment.max_age()?, named })
    }

    /// Plans for all databases and carries the plans out.
    ///
    /// # Errors
    /// When anything failed, after everything was tried.
    pub async fn run(&self, payload: &Value, deadline: Deadline) -> Result<Value, Failure> {
        let Some(task) = task(payload)? else { return Ok(Value::Null) };
        let now = Timestamp::now();
        let mut failures = Vec::new();
        let (mut databases, mut next, mut damaged, mut shrunk) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut catalogs = self.list(task, deadline).await?;
        let finding = Box::pin(self.find_uncommitted(&mut catalogs, &mut failures));
        deadline.within_work(NOTHING_REMOVED, finding).await?;
        let mut stayed = BTreeMap::new();
        let agreeing = Box::pin(agree(&self.cloud, &self.policy, &catalogs, task.dry_run, now));
        let Agreed { plans, noted } = deadline.within_work(NOTHING_REMOVED, agreeing).await?;
        for (catalog, plan) in catalogs.iter().zip(&plans) {
            let could_be = self.could_be(catalog, now, deadline, &mut failures).await;
            let (mut pruned, mut still_there) = (Pruned::of(plan, catalog, could_be, now), 0);
            report::log(plan);
            if !task.dry_run {
                failures.extend(self.act(plan, &mut pruned, &mut still_there, deadline).await.err());
            }
            // Hundreds of plans, where none lets anything go: not before what matters is done.
            if plan.refused.is_none() && !deadline.is_near() {
                next.extend(self.goes_next(catalog, now));
            }
            shrunk.extend(unaccepted(catalog, plan, now).iter().map(keeping));
            stayed.insert(catalog.database.clone(), still_there);
            damaged.extend(pruned.left_damaged(catalog));
            databases.push(pruned);
        }
        if !task.dry_run {
            let telling = async {
                failures.extend(self.cloud.publish(&metric::pruned(&databases)).await.err());
                failures.extend(keep(&self.cloud, &noted, &stayed).await.err());
                let standing = databases.iter().flat_map(Pruned::standing).collect();
                let vanished = noted.vanished;
                let run = Run { next, damaged, standing, vanished, shrunk, ..Run::at(self.finished(&failures).await) };
                failures.extend(status::leave(&self.cloud, StatusRecord::Prune, &run).await.err());
                if let Some(message) = message::refused(&databases, now).filter(|_| task.daily) {
                    failures.extend(self.cloud.tell(&message).await.err());
                }
                Ok(())
            };
            let told = deadline.within_reserve("not all that was done is written down", Box::pin(telling)).await;
            failures.extend(told.err());
        }
        Failure::all(failures)?;
        Ok(report::to_json(&databases, task.dry_run))
    }

    /// Every database's catalog, from a listing of all versions. A listing that breaks off is published as a refusal,
    /// and fails.
    async fn list(&self, task: Task, deadline: Deadline) -> Result<Vec<Catalog>, Failure> {
        let listing = Box::pin(async { Ok(self.cloud.repository.versions(Scope::All).await?) });
        match deadline.within_work(NOTHING_REMOVED, listing).await {
            Ok(objects) => Ok(catalogs(self.cloud.repository.layout(), objects)),
            Err(failure) => {
                let published = if task.dry_run { Ok(()) } else { self.cloud.publish(&metric::unlisted()).await };
                Failure::all([failure].into_iter().chain(published.err()).collect())?;
                Ok(Vec::new())
            }
        }
    }

    /// When a run last came to its end with everything done. One that didn't still tells what it saw.
    async fn finished(&self, failures: &[Failure]) -> Timestamp {
        if failures.is_empty() {
            return Timestamp::now();
        }
        let last = self.cloud.repository.last_run(StatusRecord::Prune).await.ok().flatten();
        last.map_or(Timestamp::UNIX_EPOCH, |run| run.finished)
    }

    /// Archives of ours that never got their manifest. This identity may not ask the archives themselves: the verifier has
    /// asked, and has left a record. What can't be read stays of unknown origin, and so stays.
    async fn find_uncommitted(&self, catalogs: &mut [Catalog], failures: &mut Vec<Failure>) -> Result<(), Failure> {
        for catalog in catalogs {
            self.find_uncommitted_of(catalog, failures).await;
        }
        Ok(())
    }

    async fn find_uncommitted_of(&self, catalog: &mut Catalog, failures: &mut Vec<Failure>) {
        let marked: Vec<(Object, Object)> =
            catalog.alone().filter_map(|entry| Some((entry.archive.clone()?, entry.damaged.clone()?))).collect();
        let mut ours: Vec<Object> = Vec::new();
        for (archive, record) in marked {
            match self.cloud.repository.verdict(&record).await {
                Ok(verdict) if verdict.is_uncommitted() && verdict.is_about(&archive) => ours.push(archive),
                Ok(_) | Err(Error::Document { .. }) => {}
                Err(error) => failures.push(error.into()),
            }
        }
        catalog.resolve(|entry| entry.archive.as_ref().filter(|archive| ours.contains(archive)).map(|_| Origin::Ours));
    }

    /// What retention removes next of this database, if a good backup comes each day.
    fn goes_next(&self, catalog: &Catalog, now: Timestamp) -> Option<GoesNext> {
        let (entry, from) = goes_next(catalog, &self.policy, now)?;
        Some(GoesNext { database: catalog.database.clone(), backup: entry.name(), from })
    }

    /// How many good backups of a database there could be by now, at most the minimum; `None` where none is expected.
    async fn could_be(
        &self,
        catalog: &Catalog,
        now: Timestamp,
        deadline: Deadline,
        failures: &mut Vec<Failure>,
    ) -> Option<usize> {
        let minimum = self.policy.minimum_good as usize;
        let marked = catalog.expected.as_ref().map(|mark| mark.last_modified);
        let since = |entry: &DatabaseEntry| entry.expected_since(marked.unwrap_or(now));
        let asking = Box::pin(expected(&self.cloud.repository, catalog, self.named.contains(&catalog.database), now));
        match deadline.within_work(LEFT_FOR_THE_NEXT, asking).await {
            Ok(entry) => entry.map(|entry| {
                let each = entry.max_age_hours.map_or(self.max_age, |hours| SignedDuration::from_hours(hours.into()));
                could_be(since(&entry), each, minimum, now)
            }),
            Err(failure) => {
                // Said once, and not for each of hundreds of databases.
                let is_late = |failure: &Failure| matches!(failure, Failure::OutOfTime { .. });
                if !is_late(&failure) || !failures.iter().any(is_late) {
                    failures.push(failure);
                }
                Some(minimum)
            }
        }
    }

    /// Removes what the plan says as long as there is time, and leaves the rest to the next run. Counts the backups that stay whole.
    async fn act(
        &self,
        plan: &Plan<'_>,
        pruned: &mut Pruned,
        still_there: &mut usize,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        let removals: Vec<_> = plan.removals().collect();
        let (mut refusals, mut broke) = (Vec::new(), None);
        pruned.removed.clear();
        for batch in removals.chunks(BATCH) {
            if broke.is_some() || deadline.is_near() {
                batch.iter().for_each(|row| pruned.keep(row.entry, "left for the next run".to_owned(), true));
                *still_there += report::still_there(batch, &Removal::default());
                continue;
            }
            let objects: Vec<Object> = batch.iter().flat_map(|row| row.entry.removal().cloned()).collect();
            let removing = Box::pin(async { Ok(self.cloud.repository.remove(&objects).await?) });
            let removal = match deadline.within_work(LEFT_FOR_THE_NEXT, removing).await {
                Ok(removal) => removal,
                Err(failure) => {
                    batch.iter().for_each(|row| pruned.keep(row.entry, "its removal broke off".to_owned(), true));
                    broke = Some(failure);
                    continue;
                }
            };
            refusals.extend(removal.failed.iter().map(|(key, reason)| format!("{key}: {reason}")));
            *still_there += report::still_there(batch, &removal);
            for row in batch {
                match report::what_stayed(row.entry, &removal) {
                    None => pruned.removed.push((row.entry.id.to_string(), row.reason())),
                    Some((reason, still_good)) => pruned.keep(row.entry, reason, still_good),
                }
            }
        }
        match (broke, refusals.first()) {
            (Some(failure), _) => Err(failure),
            (None, None) => Ok(()),
            (None, Some(first)) => Err(Failure::NotRemoved { count: refusals.len(), first: first.clone() }),
        }
    }
}

fn task(payload: &Value) -> Result<Option<Task>, Failure> {
    match Event::read(payload)? {
        Event::Scheduled(scheduled) if scheduled.action == Action::Prune => {
            Ok(Some(Task { dry_run: scheduled.dry_run, daily: true }))
        }
        Event::Scheduled(other) => Err(Malformed::not_for("retention", other.action).into()),
        // It does not matter which verdicts arrived, nor how many: the listing decides, once for all of them.
        Event::Arrivals(_) | Event::Queued(_) => Ok(Some(Task { dry_run: false, daily: false })),
        Event::Nothing => Ok(None),
    }
}

/// A shrink as it is told.
fn keeping(open: &Unaccepted<'_>) -> Shrunk {
    let (backup, record) = (open.entry.id.clone(), open.record.clone());
    Shrunk { backup, record, until: open.until, kept: open.kept as u64 }
}

/// The agent's settings by the agent's names, with the agent's meaning.
fn policy(environment: &Environment<'_>) -> Result<Policy, Failure> {
    let default = Policy::default();
    let rules = Policy {
        keep_last: environment.parsed("BACKUP_KEEP_LAST", default.keep_last)?,
        daily: environment.parsed("BACKUP_KEEP_DAILY", default.daily)?,
        weekly: environment.parsed("BACKUP_KEEP_WEEKLY", default.weekly)?,
        monthly: environment.parsed("BACKUP_KEEP_MONTHLY", default.monthly)?,
        yearly: environment.parsed("BACKUP_KEEP_YEARLY", default.yearly)?,
        delete_after_days: None,
        never_younger_days: environment.parsed("BACKUP_NEVER_YOUNGER_DAYS", default.never_younger_days)?,
        minimum_good: environment.parsed("BACKUP_MIN_GOOD", default.minimum_good)?,
        unfinished_grace_days: environment.parsed("LASTGOOD_UNFINISHED_GRACE_DAYS", default.unfinished_grace_days)?,
    };
    let age = match environment.text("BACKUP_S3_DELETE_DAYS") {
        None => Age::Default(default.delete_after_days.unwrap_or_default()),
        Some(_) => Age::Set(environment.parsed("BACKUP_S3_DELETE_DAYS", 0)?),
    };
    Ok(Policy::from_rules(rules, age))
}

impl Pruned {
    /// The result if the whole plan is carried out.
    fn of(plan: &Plan<'_>, catalog: &Catalog, could_be: Option<usize>, now: Timestamp) -> Self {
        let removals: Vec<_> = plan.removals().collect();
        let going = removals.iter().filter(|row| row.entry.counts_as_good()).count();
        Self {
            database: catalog.database.clone(),
            could_be,
            good: catalog.good().count() - going,
            kept: plan.rows.len() - removals.len(),
            removed: removals.iter().map(|row| (row.entry.id.to_string(), row.reason())).collect(),
            stayed: Vec::new(),
            refused: plan.refused.clone(),
            newest_good: catalog.newest_good(now).map(LastGood::from),
        }
    }

    /// The damaged backups that are still there, for freshness to tell of: it lists the last days alone.
    fn left_damaged(&self, catalog: &Catalog) -> Vec<String> {
        let names = catalog.damaged().map(|entry| entry.id.to_string());
        names.filter(|name| !self.removed.iter().any(|(removed, _)| removed == name)).collect()
    }

    /// Counts a backup that stays and should have gone.
    fn keep(&mut self, entry: &Entry, reason: String, still_good: bool) {
        self.kept += 1;
        self.good += usize::from(still_good && entry.counts_as_good());
        self.stayed.push((entry.id.to_string(), reason));
    }
}
