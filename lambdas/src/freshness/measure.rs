//! What the listing and the small records say of each database.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::freshness::{Finding, check, lost_since_good, share_of_age};
use catalog::status::Run;
use catalog::verdict::Extent;
use catalog::{
    BackupId, Catalog, DatabaseEntry, Entry, Freshness, Object, Part, State, StatusRecord, Thresholds, catalogs,
};
use jiff::{SignedDuration, Timestamp};
use repository::{Error, Repository};
use tokio::task::JoinSet;

use super::cache::Cache;
use super::limits::{INTERVAL, Limits};
use crate::Failure;
use crate::findings::{Gauge, LastGood, Proof};

/// Databases that are measured at the same time.
const AT_ONCE: usize = 8;
/// The days that are listed for all databases together; today comes on top.
const NEAR: i32 = 2;
/// The days that are listed where many databases have no good backup in the near ones: weekly ones, or a catastrophe.
const FAR: i32 = 31;
/// What is said of a database that was expected, and of which nothing says so any more.
const VANISHED: &str = "its mark under databases/ is gone, and nobody retired it";
/// As many databases are asked about one by one before all are listed further back.
const FEW: usize = 8;

/// Measures, and remembers what it has read.
#[derive(Clone, Debug)]
pub(super) struct Measurer {
    repository: Repository,
    limits: Limits,
    /// Databases that are expected whatever their marks say.
    named: Arc<[String]>,
    marks: Cache<DatabaseEntry>,
    extents: Cache<Option<Extent>>,
    runs: Cache<Option<Run>>,
    /// Retired databases without a newer backup, by their marks.
    retired: Cache<()>,
}

/// What was measured.
#[derive(Default)]
pub(super) struct Measured {
    /// The state of each expected database.
    pub(super) gauges: Vec<Gauge>,
    /// Retired databases, and when.
    pub(super) retired: Vec<(String, Timestamp)>,
    /// Databases whose backups come and that nobody expects.
    pub(super) unmarked: Vec<String>,
    /// Damaged and lost backups, and whether the listing shows that each is a backup.
    pub(super) damaged: BTreeMap<String, (BackupId, bool)>,
    /// The last sweep.
    pub(super) sweep: Option<Run>,
    /// The last run of retention.
    pub(super) prune: Option<Run>,
    /// What could not be measured, with its reason. The gauges of such databases say that nothing is known.
    pub(super) failures: Vec<Failure>,
}

/// One database's result.
enum One {
    Gauge(Box<Gauge>, Option<Failure>),
    Retired(String, Timestamp),
}

/// What is asked of one database.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    since: Option<Timestamp>,
    max_age: SignedDuration,
    min_size: Option<u64>,
}

impl Measurer {
    pub(super) fn new(repository: Repository, limits: Limits, named: Vec<String>) -> Self {
        let (marks, extents) = (Cache::default(), Cache::default());
        Self {
            repository,
            limits,
            named: named.into(),
            marks,
            extents,
            runs: Cache::default(),
            retired: Cache::default(),
        }
    }

    /// The state of all databases, of which `before` were expected until now. One that can't be measured counts as never backed
    /// up, and hides no other.
    pub(super) async fn measure(&self, before: &[String], now: Timestamp) -> Result<Measured, Failure> {
        let layout = self.repository.layout();
        let (objects, days) = self.list(now).await?;
        let mut measured = Measured::default();
        self.read_runs(&objects, &mut measured).await;
        let found = catalogs(layout, objects);
        measured.find_damaged(&found);
        let subjects = self.subjects(found, before, &mut measured, now);
        for one in self.measure_each(subjects, days, now).await {
            match one {
                One::Gauge(gauge, failure) => {
                    measured.gauges.push(*gauge);
                    measured.failures.extend(failure);
                }
                One::Retired(database, at) => measured.retired.push((database, at)),
            }
        }
        Ok(measured)
    }

    /// When the others last looked at everything. What can't be read hides nothing else.
    async fn read_runs(&self, objects: &[Object], measured: &mut Measured) {
        for object in objects {
            let Part::Status(record) = self.repository.layout().parse(&object.key) else { continue };
            let place = match record {
                StatusRecord::Sweep => &mut measured.sweep,
                StatusRecord::Prune => &mut measured.prune,
                StatusRecord::Freshness | StatusRecord::Removals => continue,
            };
            match self.runs.get(object, last_run(&self.repository, record)).await {
                Ok(run) => *place = run,
                Err(error) => measured.failures.push(error.into()),
            }
        }
    }

    /// The listing, and how many days it reaches back.
    async fn list(&self, now: Timestamp) -> Result<(Vec<Object>, i32), Failure> {
        let repository = &self.repository;
        let near = repository.last_days(now, NEAR).await?;
        let left = catalogs(repository.layout(), near.iter().cloned())
            .into_iter()
            .filter(|catalog| catalog.expected.as_ref().is_some_and(|mark| self.retired.known(mark).is_none()))
            .filter(|catalog| !self.is_settled(catalog, now, NEAR));
        if left.count() <= FEW {
            return Ok((near, NEAR));
        }
        Ok((repository.last_days(now, FAR).await?, FAR))
    }

    fn is_settled(&self, catalog: &Catalog, now: Timestamp, days: i32) -> bool {
        let newest = catalog.newest_good(now).filter(|newest| !newest.is_in_the_future(now));
        newest.is_some_and(|newest| self.repository.is_settled(newest.instant, now, days))
    }

    /// The databases that have marks or are named. Those that have only backups are told: nobody would miss them.
    pub(super) fn subjects(
        &self,
        found: Vec<Catalog>,
        before: &[String],
        measured: &mut Measured,
        now: Timestamp,
    ) -> Vec<Catalog> {
        let mut subjects: BTreeMap<String, Catalog> = BTreeMap::new();
        for catalog in found {
            if catalog.expected.is_some() || self.named.contains(&catalog.database) {
                subjects.insert(catalog.database.clone(), catalog);
            } else if before.contains(&catalog.database) {
                // Its mark vanished: it is missed below.
            } else if has_settled_backups(&catalog, now) {
                measured.unmarked.push(catalog.database);
            }
        }
        for name in self.named.iter() {
            let none = || Catalog { database: name.clone(), entries: Vec::new(), expected: None };
            subjects.entry(name.clone()).or_insert_with(none);
        }
        let vanished = before.iter().filter(|database| !subjects.contains_key(*database));
        measured.gauges.extend(vanished.map(|database| Gauge::unknown(database, VANISHED.to_owned())));
        subjects.into_values().collect()
    }

    /// The measurements of these databases, in their order, a few at the same time.
    async fn measure_each(&self, subjects: Vec<Catalog>, days: i32, now: Timestamp) -> Vec<One> {
        let mut waiting = subjects.into_iter().enumerate();
        let (mut under_way, mut measured) = (JoinSet::new(), Vec::new());
        loop {
            while under_way.len() < AT_ONCE
                && let Some((place, subject)) = waiting.next()
            {
                let measuring = self.clone();
                under_way.spawn(async move { (place, measuring.measure_one(subject, days, now).await) });
            }
            match under_way.join_next().await {
                None => break,
                Some(Ok(one)) => measured.push(one),
                // Nothing aborts these tasks, so it is a panic, and goes on as one: the invocation fails.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        measured.sort_by_key(|(place, _)| *place);
        measured.into_iter().map(|(_, one)| one).collect()
    }

    async fn measure_one(&self, subject: Catalog, days: i32, now: Timestamp) -> One {
        let is_named = self.named.contains(&subject.database);
        let entry = match self.mark(&subject).await {
            Ok(entry) => entry,
            Err(failure) => return One::unknown(&subject.database, "its mark cannot be used", failure),
        };
        let (mark, database) = (subject.expected.clone(), subject.database.clone());
        let is_known = mark.as_ref().is_some_and(|mark| self.retired.known(mark).is_some());
        let retired =
            |catalog: &Catalog| entry.as_ref().filter(|_| !is_named).and_then(|entry| retired(entry, catalog, now));
        let catalog = match () {
            () if self.is_settled(&subject, now, days) || (is_known && retired(&subject).is_some()) => subject,
            () => match self.repository.recent(&database, now).await {
                Ok(catalog) => catalog,
                Err(error) => return One::unknown(&database, "its backups cannot be listed", error.into()),
            },
        };
        if let Some(at) = retired(&catalog) {
            mark.iter().for_each(|mark| self.retired.learn(mark, ()));
            return One::Retired(database, at);
        }
        let extent = match catalog.newest_good(now) {
            Some(newest) => self.extent(newest).await,
            None => Ok(None),
        };
        let (extent, failure) = match extent {
            Ok(extent) => (extent, None),
            Err(error) => (None, Some(error.into())),
        };
        One::Gauge(
            Box::new(Gauge::of(&catalog, Asked::by(entry.as_ref(), mark.as_ref(), &self.limits), extent, now)),
            failure,
        )
    }

    async fn mark(&self, subject: &Catalog) -> Result<Option<DatabaseEntry>, Failure> {
        let Some(mark) = &subject.expected else { return Ok(None) };
        Ok(Some(self.marks.get(mark, self.repository.database_entry(mark)).await?))
    }

    /// How much the backup is beside those before it; `None` where its verdict doesn't say.
    async fn extent(&self, newest: &Entry) -> Result<Option<Extent>, Error> {
        let Some(intact) = &newest.intact else { return Ok(None) };
        let read = async {
            match self.repository.verdict(intact).await {
                Ok(verdict) => Ok(verdict.extent),
                Err(Error::Document { .. } | Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.extents.get(intact, read).await
    }
}

impl Measured {
    /// Adds what the listing shows, and what a run over everything has seen.
    pub(super) fn find_damaged(&mut self, found: &[Catalog]) {
        for entry in found.iter().flat_map(Catalog::damaged) {
            let is_backup = entry.is_backup() || entry.state == State::Missing;
            self.damaged.insert(entry.id.to_string(), (entry.id.clone(), is_backup));
        }
        for name in [&self.sweep, &self.prune].into_iter().flatten().flat_map(|run| &run.damaged) {
            if let Ok(id) = name.parse::<BackupId>() {
                self.damaged.entry(name.clone()).or_insert((id, false));
            }
        }
    }
}

impl One {
    fn unknown(database: &str, what: &str, failure: Failure) -> Self {
        Self::Gauge(Box::new(Gauge::unknown(database, format!("{what}: {failure}"))), Some(failure))
    }
}

impl Asked {
    /// By its mark, as it is stored.
    pub(super) fn by(entry: Option<&DatabaseEntry>, mark: Option<&Object>, limits: &Limits) -> Self {
        let own = entry.and_then(|entry| entry.max_age_hours).map(|hours| SignedDuration::from_hours(hours.into()));
        Self {
            since: entry.map(|entry| mark.map_or(entry.since, |mark| entry.expected_since(mark.last_modified))),
            max_age: own.unwrap_or(limits.max_age),
            min_size: entry.and_then(|entry| entry.min_size),
        }
    }
}

impl Gauge {
    fn unknown(database: &str, trouble: String) -> Self {
        Self {
            database: database.to_owned(),
            good: Freshness::Never,
            uploaded: Freshness::Never,
            share: None,
            finding: None,
            lost: 0,
            newest_good: None,
            proof: None,
            min_size: None,
            since: None,
            trouble: Some(trouble),
        }
    }

    pub(super) fn of(catalog: &Catalog, asked: Asked, extent: Option<Extent>, now: Timestamp) -> Self {
        let newest = catalog.newest_good(now);
        let mut gauge = Self {
            database: catalog.database.clone(),
            good: Freshness::of_good(catalog, now),
            uploaded: Freshness::of_uploaded(catalog, now),
            share: share_of_age(catalog, asked.since, asked.max_age, now),
            finding: None,
            lost: lost_since_good(catalog, now).count(),
            newest_good: newest.map(LastGood::from),
            proof: newest.map(|newest| Proof { size: newest.size(), verified: newest.found_intact(), extent }),
            min_size: asked.min_size,
            since: asked.since,
            trouble: None,
        };
        if gauge.is_stale() {
            let thresholds = Thresholds { max_age: asked.max_age, min_size: 0, min_count: 0 };
            let is_about_age = |finding: &Finding| {
                matches!(finding, Finding::Never { .. } | Finding::Stale { .. } | Finding::InTheFuture { .. })
            };
            gauge.finding = check(catalog, &thresholds, now).into_iter().find(is_about_age);
        }
        gauge
    }
}

/// When the database was retired, unless a backup came later all the same.
pub(super) fn retired(entry: &DatabaseEntry, catalog: &Catalog, now: Timestamp) -> Option<Timestamp> {
    entry.retired.filter(|_| !entry.is_expected(catalog, now))
}

/// Whether there are backups that were not made just now: an older agent marks its database a moment after its first one.
fn has_settled_backups(catalog: &Catalog, now: Timestamp) -> bool {
    let settled =
        |entry: &Entry| entry.is_backup() && !entry.is_safety() && now.duration_since(entry.instant) > INTERVAL;
    catalog.entries.iter().any(settled)
}

/// A status that is broken, or newer than this function, tells nothing.
async fn last_run(repository: &Repository, record: StatusRecord) -> Result<Option<Run>, Error> {
    match repository.last_run(record).await {
        Err(Error::Document { source, .. }) => {
            tracing::warn!("cannot use the status of a run: {source}");
            Ok(None)
        }
        read => read,
    }
}
