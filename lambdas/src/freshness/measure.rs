//! What the listing and the small records say of each database.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::status::{Further, Health, Run};
use catalog::verdict::Extent;
use catalog::{BackupId, Catalog, DatabaseEntry, Entry, Object, Part, StatusRecord, catalogs};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use repository::{Error, Repository};
use tokio::task::JoinSet;

use super::cache::Cache;
use super::drills::{self, DrillRecords};
use super::further::{FEW, Memory, remembered};
use super::gauge::Asked;
use super::limits::{INTERVAL, Limits};
use super::shrinks::{self, ShrinkRecords};
use crate::Failure;
use crate::findings::{Gauge, Trouble};

/// Databases that are measured at the same time.
const AT_ONCE: usize = 8;
/// The days that are listed for all databases together; today comes on top.
const NEAR: i32 = 2;
/// The days that are listed where many databases have no good backup in the near ones: weekly ones, or a catastrophe.
const FAR: i32 = 31;
/// What is said of a database that was expected, and of which nothing says so any more.
const VANISHED: &str = "its mark under databases/ is gone, and nobody retired it";

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
    drills: DrillRecords,
    shrinks: ShrinkRecords,
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
    /// Damaged and lost backups, by their names, and what tells.
    pub(super) damaged: BTreeMap<String, (BackupId, Sign)>,
    /// What databases have further back than the days that are listed.
    pub(super) further: BTreeMap<String, Further>,
    /// The last sweep.
    pub(super) sweep: Option<Run>,
    /// The last run of retention.
    pub(super) prune: Option<Run>,
    /// When the page for people was last made.
    pub(super) page: Option<Timestamp>,
    /// What could not be measured, with its reason. The gauges of such databases say that nothing is known.
    pub(super) failures: Vec<Failure>,
}

/// What tells that a backup is damaged or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// The verdict that a listing shows beside it.
    Verdict,
    /// The listing: its archive is gone.
    Gone,
    /// The listing: its archive was written again after its verdict.
    Changed,
    /// What another run has seen, or a verdict on what may be no backup: its verdict has to be read.
    Unsure,
}

/// One database's result.
struct One {
    state: State,
    further: Option<(String, Further)>,
}

enum State {
    Measured(Box<Gauge>, Option<Failure>),
    Retired(String, Timestamp),
}

/// A database's backups as far as they were asked for.
struct Asking {
    catalog: Catalog,
    further: Option<Further>,
    /// Whether nobody knows what it has before the listed days, because enough others were asked about.
    is_open: bool,
}

impl Measurer {
    pub(super) fn new(repository: Repository, limits: Limits, named: Vec<String>) -> Self {
        let (marks, extents) = (Cache::default(), Cache::default());
        let drills = DrillRecords::new(repository.clone(), limits.drill_max_age);
        let (runs, shrinks) = (Cache::default(), ShrinkRecords::new(repository.clone()));
        Self { repository, limits, named: named.into(), marks, extents, runs, drills, shrinks }
    }

    /// The state of all databases, after what `last` knew. One that can't be measured counts as never backed up, and hides no
    /// other.
    pub(super) async fn measure(&self, last: &Health, now: Timestamp) -> Result<Measured, Failure> {
        let layout = self.repository.layout();
        let memory = Arc::new(Memory::new(last.further.clone()));
        let (objects, days) = self.list(&memory, now).await?;
        let mut measured = Measured::default();
        self.read_runs(&objects, &mut measured).await;
        let drills = drills::listed(layout, &objects);
        let found = catalogs(layout, objects);
        measured.find_damaged(&found);
        let shrunk = shrinks::Listed::of(&found, measured.prune.as_ref(), now);
        let subjects = self.subjects(found, &last.expected, &mut measured, now);
        for One { state, further } in self.measure_each(subjects, days, &memory, now).await {
            measured.further.extend(further);
            match state {
                State::Measured(gauge, failure) => {
                    measured.gauges.push(*gauge);
                    measured.failures.extend(failure);
                }
                State::Retired(database, at) => measured.retired.push((database, at)),
            }
        }
        let watched = last.since.unwrap_or(now);
        measured.failures.extend(self.drills.add(&mut measured.gauges, &drills, watched, now).await);
        measured.failures.extend(self.shrinks.add(&mut measured.gauges, shrunk).await);
        Ok(measured)
    }

    /// When the others last looked at everything. What can't be read hides nothing else.
    async fn read_runs(&self, objects: &[Object], measured: &mut Measured) {
        for object in objects {
            let Part::Status(record) = self.repository.layout().parse(&object.key) else { continue };
            let place = match record {
                StatusRecord::Sweep => &mut measured.sweep,
                StatusRecord::Prune => &mut measured.prune,
                StatusRecord::Page => {
                    measured.page = Some(object.last_modified);
                    continue;
                }
                StatusRecord::Freshness | StatusRecord::Removals | StatusRecord::Report => continue,
            };
            match self.runs.get(object, last_run(&self.repository, record)).await {
                Ok(run) => *place = run,
                Err(error) => measured.failures.push(error.into()),
            }
        }
    }

    /// The listing, and how many days it reaches back.
    pub(super) async fn list(&self, memory: &Memory, now: Timestamp) -> Result<(Vec<Object>, i32), Failure> {
        let repository = &self.repository;
        let near = repository.last_days(now, NEAR).await?;
        let first = first_day(now, NEAR);
        let left = self
            .asked_for(catalogs(repository.layout(), near.iter().cloned()))
            .into_iter()
            .filter(|catalog| !self.is_settled(catalog, now, NEAR))
            .filter(|catalog| memory.recall(repository.layout(), catalog, first, now).is_none_or(|(_, fresh)| !fresh));
        if left.count() <= FEW {
            return Ok((near, NEAR));
        }
        Ok((repository.last_days(now, FAR).await?, FAR))
    }

    /// Those of these databases that have marks or are named, and the named ones that nothing is listed of.
    fn asked_for(&self, found: Vec<Catalog>) -> Vec<Catalog> {
        let is_unlisted = |name: &&String| !found.iter().any(|catalog| catalog.database == **name);
        let none = |name: &String| Catalog { database: name.clone(), entries: Vec::new(), expected: None };
        let unlisted: Vec<Catalog> = self.named.iter().filter(is_unlisted).map(none).collect();
        let is_asked_for = |catalog: &Catalog| catalog.expected.is_some() || self.named.contains(&catalog.database);
        found.into_iter().filter(is_asked_for).chain(unlisted).collect()
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
        measured
            .gauges
            .extend(vanished.map(|database| Gauge::unknown(database, Trouble::Unknown(VANISHED.to_owned()))));
        subjects.into_values().collect()
    }

    /// The measurements of these databases, in their order, a few at the same time.
    async fn measure_each(&self, subjects: Vec<Catalog>, days: i32, memory: &Arc<Memory>, now: Timestamp) -> Vec<One> {
        let mut waiting = subjects.into_iter().enumerate();
        let (mut under_way, mut measured) = (JoinSet::new(), Vec::new());
        loop {
            while under_way.len() < AT_ONCE
                && let Some((place, subject)) = waiting.next()
            {
                let (measuring, memory) = (self.clone(), Arc::clone(memory));
                under_way.spawn(async move { (place, measuring.measure_one(subject, days, &memory, now).await) });
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

    async fn measure_one(&self, subject: Catalog, days: i32, memory: &Memory, now: Timestamp) -> One {
        let (mark, database) = (subject.expected.clone(), subject.database.clone());
        let entry = match self.mark(&subject).await {
            Ok(entry) => entry,
            Err(failure) => return One::unknown(&database, "its mark cannot be used", failure),
        };
        let may_be_retired = entry.as_ref().filter(|_| !self.named.contains(&database));
        let asked = Asked::by(entry.as_ref(), mark.as_ref(), &self.limits);
        let is_retired = |catalog: &Catalog| may_be_retired.and_then(|entry| retired(entry, catalog, now));
        let asking = match self.ask(subject, (days, asked.max_age), memory, &is_retired, now).await {
            Ok(asking) => asking,
            Err(error) => return One::unknown(&database, "its backups cannot be listed", error.into()),
        };
        let Asking { catalog, further, is_open } = asking;
        let further = further.map(|further| (database.clone(), further));
        if let Some(at) = is_retired(&catalog) {
            return One { state: State::Retired(database, at), further };
        }
        if is_open {
            let what = format!("it has no good backup of the last {days} days, and a later run asks for older ones");
            let gauge = Gauge { since: asked.since, ..Gauge::unknown(&database, Trouble::Waits(what)) };
            return One { state: State::Measured(Box::new(gauge), None), further };
        }
        let extent = match catalog.newest_good(now) {
            Some(newest) => self.extent(newest).await,
            None => Ok(None),
        };
        let (extent, failure) = match extent {
            Ok(extent) => (extent, None),
            Err(error) => (None, Some(error.into())),
        };
        let gauge = Gauge::of(&catalog, asked, extent, now);
        One { state: State::Measured(Box::new(gauge), failure), further }
    }

    /// A database's backups down to its newest good one: as they are listed, where that one is; else with what was found before
    /// these days, lately or now. One whose good backup may lie so far back is always asked about.
    async fn ask(
        &self,
        listed: Catalog,
        (days, max_age): (i32, SignedDuration),
        memory: &Memory,
        is_retired: &(dyn Fn(&Catalog) -> Option<Timestamp> + Sync),
        now: Timestamp,
    ) -> Result<Asking, Error> {
        let further = |catalog: &Catalog| Some(remembered(catalog, now));
        if self.is_settled(&listed, now, NEAR) {
            return Ok(Asking { catalog: listed, further: None, is_open: false });
        }
        if self.is_settled(&listed, now, days) {
            return Ok(Asking { further: further(&listed), catalog: listed, is_open: false });
        }
        let first = first_day(now, days);
        let known = memory.recall(self.repository.layout(), &listed, first, now);
        if let Some((catalog, is_fresh)) = known
            && (is_fresh || is_retired(&catalog).is_some() || !memory.may_ask())
        {
            let mut known = memory.known(&listed.database);
            // What is known of a retired one holds. Its age must not have the others listed far back.
            if let Some(known) = known.as_mut().filter(|_| is_retired(&catalog).is_some()) {
                known.asked = now;
            }
            return Ok(Asking { further: known, catalog, is_open: false });
        }
        let may_lie_further_back = max_age > SignedDuration::from_hours(24 * i64::from(FAR));
        if memory.known(&listed.database).is_none() && !may_lie_further_back && !memory.may_ask() {
            return Ok(Asking { catalog: listed, further: None, is_open: true });
        }
        let catalog = self.repository.recent(&listed.database, now).await?;
        Ok(Asking { further: further(&catalog), catalog, is_open: false })
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
            self.damaged.insert(entry.id.to_string(), (entry.id.clone(), Sign::of(entry)));
        }
        for name in [&self.sweep, &self.prune].into_iter().flatten().flat_map(|run| &run.damaged) {
            if let Ok(id) = name.parse::<BackupId>() {
                self.damaged.entry(name.clone()).or_insert((id, Sign::Unsure));
            }
        }
    }
}

impl Sign {
    fn of(entry: &Entry) -> Self {
        match entry.state {
            catalog::State::Missing => Self::Gone,
            _ if entry.is_backup() && entry.has_changed() => Self::Changed,
            _ if entry.is_backup() => Self::Verdict,
            _ => Self::Unsure,
        }
    }
}

impl One {
    fn unknown(database: &str, what: &str, failure: Failure) -> Self {
        let gauge = Gauge::unknown(database, Trouble::Unknown(format!("{what}: {failure}")));
        Self { state: State::Measured(Box::new(gauge), Some(failure)), further: None }
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

/// The first of the days that a listing of the last `days` shows.
fn first_day(now: Timestamp, days: i32) -> Option<Date> {
    TimeZone::UTC.to_datetime(now).date().checked_sub(days.days()).ok()
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
