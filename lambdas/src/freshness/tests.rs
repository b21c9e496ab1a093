//! Who is told what, row by row: `docs/cloud.md` has the table, and names each of these tests as its rows.

use std::collections::BTreeMap;

use catalog::drill::LastDrill;
use catalog::freshness::{Drills, DrillsAsked, Remedy};
use catalog::retention::Vanished;
use catalog::shrink::{Loss, Shrink};
use catalog::status::{Further, Health, Run, Shrunk};
use catalog::verdict::Extent;
use catalog::watch::Reminder;
use catalog::{BackupId, DatabaseEntry, Layout, Object, catalogs};
use jiff::{SignedDuration, Timestamp};

use super::found::{Found, texts};
use super::further::{Memory, remembered};
use super::gauge::Asked;
use super::limits::Limits;
use super::measure::{Measured, Measurer, retired};
use super::tell::code;
use super::{shrinks, standing};
use crate::findings::{Drilled, Gauge, Listeners, OpenShrink, Standing};
use crate::message::{Digest, digest};
use crate::{Cloud, Environment, metric};

const REPOSITORY: &str = "s3://bucket/backups";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A Tuesday, after the daily runs.
fn now() -> Timestamp {
    time("2026-01-20T07:00:00Z")
}

fn hours_ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

/// A repository as it is listed, and what its small records say.
struct World {
    objects: Vec<Object>,
    marks: BTreeMap<String, DatabaseEntry>,
    extents: BTreeMap<String, Extent>,
    named: Vec<String>,
    sweep: Option<Run>,
    prune: Option<Run>,
    last: Health,
    listeners: Option<Listeners>,
    drills: BTreeMap<String, Drills>,
    drill_days: i64,
    /// In a vault.
    distrusts_marks: bool,
    /// What each backup that has lost rows has lost.
    losses: Vec<Loss>,
}

impl World {
    /// A stack that has run for long, with runs of this night, and somebody who listens.
    fn new() -> Self {
        let run = |hours| Some(Run { oldest_verdict: Some(hours_ago(24 * 20)), ..Run::at(hours_ago(hours)) });
        Self {
            objects: Vec::new(),
            marks: BTreeMap::new(),
            extents: BTreeMap::new(),
            named: Vec::new(),
            sweep: run(3),
            prune: run(2),
            last: Health { since: Some(hours_ago(24 * 90)), ..Health::at(hours_ago(1)) },
            listeners: Some(Listeners { confirmed: 1, unconfirmed: 0 }),
            drills: BTreeMap::new(),
            drill_days: 0,
            distrusts_marks: false,
            losses: Vec::new(),
        }
    }

    /// A database that has been expected for a month, backed up this night.
    fn healthy() -> Self {
        Self::new().mark("app", 24 * 30).backup("app", 4, &[".sql.gz", ".manifest.json", ".intact.json"])
    }

    fn put(&mut self, key: String, at: Timestamp) {
        self.objects.push(Object { key, size: 5_000, last_modified: at, etag: None, version_id: None, readable: true });
    }

    fn mark(mut self, database: &str, since_hours: i64) -> Self {
        self.put(Layout::bucket("backups").database_entry(database), hours_ago(since_hours));
        self.marks.insert(database.to_owned(), DatabaseEntry::new(database, hours_ago(since_hours)));
        self
    }

    fn backup(mut self, database: &str, hours: i64, suffixes: &[&str]) -> Self {
        let made = hours_ago(hours).to_zoned(jiff::tz::TimeZone::UTC);
        let key = format!("backups/{}/{database}_backup_{}", made.strftime("%Y%m%d"), made.strftime("%Y%m%d_%H%M%S"));
        for (minute, suffix) in (1..).zip(suffixes) {
            self.put(format!("{key}{suffix}"), hours_ago(hours) + SignedDuration::from_mins(minute));
        }
        self
    }

    fn good(self, database: &str, hours: i64) -> Self {
        self.backup(database, hours, &[".sql.gz", ".manifest.json", ".intact.json"])
    }

    fn retire(mut self, database: &str, hours: i64) -> Self {
        self.marks.get_mut(database).unwrap().retired = Some(hours_ago(hours));
        let key = Layout::bucket("backups").database_entry(database);
        self.objects
            .iter_mut()
            .filter(|object| object.key == key)
            .for_each(|mark| mark.last_modified = hours_ago(hours));
        self
    }

    fn limits() -> Limits {
        Limits::read(&Environment::new(|_| None)).unwrap()
    }

    /// As a run finds it, with the records in place of requests.
    fn found(&self) -> Found {
        let (mut limits, layout) = (Self::limits(), Layout::bucket("backups"));
        limits.distrusts_marks = self.distrusts_marks;
        limits.drill_max_age = (self.drill_days > 0).then(|| SignedDuration::from_hours(24 * self.drill_days));
        let cloud = Cloud::over_directory(std::path::Path::new("/nonexistent"));
        let measurer = Measurer::new(cloud.repository, limits, self.named.clone());
        let mut measured = Measured { sweep: self.sweep.clone(), prune: self.prune.clone(), ..Measured::default() };
        let listed = catalogs(&layout, self.objects.iter().cloned());
        measured.find_damaged(&listed);
        let shrunk = shrinks::Listed::of(&listed, measured.prune.as_ref(), now());
        for catalog in measurer.subjects(listed, &self.last.expected, &mut measured, now()) {
            let database = catalog.database.clone();
            let entry = self.marks.get(&database);
            let gone =
                entry.filter(|_| !self.named.contains(&database)).and_then(|entry| retired(entry, &catalog, now()));
            let extent = self.extents.get(&database).copied();
            match gone {
                Some(at) => measured.retired.push((database, at)),
                None => {
                    let asked = Asked::by(entry, catalog.expected.as_ref(), &limits);
                    measured.gauges.push(Gauge::of(&catalog, asked, extent, now()));
                }
            }
        }
        for Shrunk { backup, until, kept, .. } in shrunk.each() {
            let database = backup.stem.database().into_owned();
            let gauge = measured.gauges.iter_mut().find(|gauge| gauge.database == database).unwrap();
            let shrink = Shrink::of(&backup, self.losses.clone());
            gauge.shrinks.push(OpenShrink { backup, shrink, until, kept });
        }
        let asked = DrillsAsked { max_age: limits.drill_max_age, since: Some(self.last.since.unwrap_or(now())) };
        for gauge in &mut measured.gauges {
            let drills = self.drills.get(&gauge.database).unwrap_or(&Drills::Never);
            gauge.drilled = Drilled::of(gauge, drills, asked, now());
        }
        Found::new(measured, self.last.clone(), self.listeners, &limits, now())
    }

    fn standing(&self) -> Vec<Standing> {
        let limits = Limits { distrusts_marks: self.distrusts_marks, ..Self::limits() };
        standing::of(&self.found(), &limits, REPOSITORY, now())
    }

    /// The names of what a message tells within a quarter of an hour.
    fn told(&self) -> Vec<String> {
        let damaged = self.found().measured.damaged.into_values().map(|(id, sign)| code(&id, sign));
        let at_once = self.standing().into_iter().filter(|standing| standing.at_once).map(|standing| standing.code);
        at_once.chain(damaged).collect()
    }

    /// The alarms that are on by what is published, as `infra/template.yaml` has them.
    fn alarms(&self) -> Vec<&'static str> {
        let found = self.found();
        let measures = metric::measured(&found.measured.gauges, &found.watch);
        let value = |name: &str| {
            measures
                .iter()
                .find(|measure| measure.name == name && measure.database.is_none())
                .map(|measure| measure.value)
        };
        let beyond = |name: &str, most: f64| value(name).is_some_and(|value| value > most);
        let below = |name: &str, least: f64| value(name).is_some_and(|value| value < least);
        let alarms = [
            ("stale", beyond("Staleness", 1.0)),
            ("damaged", beyond("DamagedSinceGood", 0.0)),
            ("shrunken", below("SizeRatio", 0.5)),
            ("emptied", below("RowRatio", 0.5)),
            ("overdue", beyond("Overdue", 1.0)),
            ("drill", self.drill_days > 0 && beyond("DrillAge", self.drill_days as f64)),
        ];
        alarms.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
    }

    /// What the daily message names.
    fn reminded(&self) -> Vec<String> {
        texts(&self.standing())
    }
}

#[test]
fn all_is_well() {
    let world = World::healthy();
    assert_eq!((world.alarms(), world.told(), world.reminded()), (vec![], vec![], vec![]));
}

#[test]
fn nobody_ever_backs_up() {
    let world = World { last: Health::at(now()), sweep: None, prune: None, ..World::new() };
    assert_eq!((world.alarms(), world.told()), (vec!["stale"], vec!["nobody".to_owned()]));
    assert_eq!(world.reminded(), ["no database has ever been backed up to s3://bucket/backups"]);
}

#[test]
fn a_second_database_never_succeeds() {
    let world = World::healthy().mark("shop", 27);
    assert_eq!((world.alarms(), world.told()), (vec!["stale"], vec!["stale/shop".to_owned()]));
    let first = World::healthy().mark("shop", 2);
    assert_eq!((first.alarms(), first.told()), (vec![], vec![]), "its first backup has time");
    let named = World { named: vec!["shop".into()], ..World::healthy() };
    assert_eq!((named.alarms(), named.told()), (vec!["stale"], vec!["stale/shop".to_owned()]), "without any mark");
}

#[test]
fn a_mark_could_not_be_written() {
    let world = World::healthy().good("shop", 3);
    assert_eq!((world.alarms(), world.told()), (vec![], vec!["unmarked/shop".to_owned()]));
    assert_eq!(World::healthy().good("shop", 0).told(), [""; 0], "the agent is still at it");
    let guest = World::healthy().backup("shop", 3, &[".sql.gz", ".intact.json"]);
    assert_eq!(guest.told(), [""; 0], "a guest is no backup of ours");
}

#[test]
fn an_agent_dies() {
    let world = World::new().mark("app", 24 * 30).good("app", 27);
    assert_eq!((world.alarms(), world.told()), (vec!["stale"], vec!["stale/app".to_owned()]));
    assert_eq!(world.reminded().len(), 1);
}

#[test]
fn an_agent_dies_while_another_database_is_stale() {
    let world = World::new().mark("app", 24 * 30).good("app", 27).mark("shop", 24 * 30).good("shop", 40);
    assert_eq!(world.told(), ["stale/app", "stale/shop"], "each by its name");
}

#[test]
fn the_verifier_dies() {
    let world = World::new().mark("app", 24 * 30).good("app", 27).backup("app", 3, &[".sql.gz", ".manifest.json"]);
    assert_eq!((world.alarms(), world.told()), (vec!["stale"], vec!["stale/app".to_owned()]));
}

#[test]
fn all_objects_are_deleted() {
    let world = World { last: Health::at(now()), sweep: None, prune: None, ..World::new() };
    assert_eq!(world.alarms(), ["stale"], "the status went with them");
    let vanished = World::new().mark("app", 24 * 30);
    assert_eq!(
        (vanished.alarms(), vanished.told()),
        (vec!["stale"], vec!["stale/app".to_owned()]),
        "all but the marks"
    );
}

#[test]
fn the_objects_and_the_mark_of_one_database_are_deleted() {
    let mut world = World::healthy();
    world.last.expected = vec!["app".into(), "shop".into()];
    assert_eq!((world.alarms(), world.told()), (vec!["stale"], vec!["trouble/shop".to_owned()]));
}

#[test]
fn an_archive_alone_is_deleted() {
    let world = World::healthy().backup("app", 2, &[".manifest.json", ".intact.json"]);
    let lost = world.found().measured.damaged.into_keys().next().unwrap();
    assert_eq!((world.alarms(), world.told()), (vec!["damaged"], vec![format!("damaged/{lost}")]));
}

#[test]
fn a_backup_is_damaged_until_a_good_one_comes() {
    let rotten = || World::healthy().backup("app", 2, &[".sql.gz", ".manifest.json", ".damaged.json"]);
    assert_eq!((rotten().alarms(), rotten().told().len(), rotten().reminded().len()), (vec!["damaged"], 1, 1));
    let over = rotten().good("app", 1);
    assert_eq!((over.alarms(), over.reminded()), (vec![], vec![]), "a good one is newer");
}

#[test]
fn an_archive_is_written_again_beside_another_damaged_one() {
    let rotten = World::healthy().backup("app", 2, &[".sql.gz", ".manifest.json", ".damaged.json"]);
    let mut world = rotten.backup("app", 5, &[".manifest.json", ".intact.json"]);
    let made = hours_ago(5).to_zoned(jiff::tz::TimeZone::UTC);
    let rewritten = format!("{}/app_backup_{}", made.strftime("%Y%m%d"), made.strftime("%Y%m%d_%H%M%S"));
    world.put(format!("backups/{rewritten}.sql.gz"), hours_ago(1));
    let told = world.told();
    assert!(told.contains(&format!("changed/{rewritten}")) && told.len() == 2, "{told:?}");
}

#[test]
fn old_good_backups_are_removed_one_by_one() {
    let mut world = World::healthy();
    let vanished = |noticed| Vanished { database: "app".into(), backups: 1, noticed };
    world.prune.as_mut().unwrap().vanished = vec![vanished(hours_ago(24 * 8)), vanished(hours_ago(1))];
    assert_eq!(world.told(), [format!("vanished/app/{}", hours_ago(1))]);
    let text = "1 backup of database `app` was removed, and not by retention: by lastgood prune, by hand or by another program, noticed on 2026-01-20 06:00 UTC";
    assert_eq!((world.standing()[0].text.as_str(), world.reminded()), (text, vec![]), "told once");
}

/// Whoever may add a first mark may write limits into it.
#[test]
fn a_mark_with_limits_of_its_own_is_told() {
    let mut world = World::healthy().mark("shop", 1);
    world.marks.get_mut("shop").unwrap().max_age_hours = Some(99_999);
    world.named = vec!["shop".into()];
    assert_eq!(world.told(), ["limits/shop/Some(99999)/None"]);
    let standing = world.standing();
    let news = standing.iter().find(|standing| standing.code.starts_with("limits/")).unwrap();
    let text =
        "database `shop` got limits of its own on 2026-01-20 06:00 UTC: its newest good backup may be 4,166 days old";
    assert_eq!((news.text.as_str(), news.stands), (text, false));
    let old = World { marks: world.marks.clone(), ..World::healthy().mark("shop", 24 * 8) };
    assert_eq!(old.told(), [""; 0], "told once, when it was set");
}

/// Its marks come from another account, whose ruler gives them any content and any time.
#[test]
fn a_mark_silences_nothing_in_a_vault_and_is_told_whenever_it_came() {
    let limited = |distrusts_marks, hours| {
        let mut world = World { distrusts_marks, ..World::new().mark("app", 24 * 30).good("app", 40) };
        world.marks.get_mut("app").unwrap().max_age_hours = Some(hours);
        (world.alarms(), world.told())
    };
    let news = |hours: u32| format!("limits/app/Some({hours})/None");
    assert_eq!(limited(false, 99_999), (vec![], vec![]), "its age is a person's to choose, and was told when it came");
    assert_eq!(limited(true, 99_999), (vec!["stale"], vec!["stale/app".to_owned(), news(99_999)]));
    assert_eq!(limited(true, 2).0, ["stale"], "it may ask for more");
    let retired =
        World { distrusts_marks: true, ..World::new().mark("app", 900).good("app", 400).retire("app", 24 * 8) };
    assert_eq!(retired.told().len(), 1, "{:?}", retired.told());
}

#[test]
fn an_old_backup_rots() {
    let mut world = World::healthy();
    world.prune.as_mut().unwrap().damaged = vec!["20251222/app_backup_20251222_030000".into()];
    assert_eq!(
        (world.alarms(), world.told()),
        (vec![], vec!["damaged/20251222/app_backup_20251222_030000".to_owned()])
    );
}

#[test]
fn all_databases_are_retired_with_a_stolen_key() {
    let world = World::healthy().retire("app", 1);
    assert_eq!((world.alarms(), world.told().len()), (vec![], 1), "it is told by name");
    assert!(world.standing()[0].text.starts_with("database `app` was retired by hand on 2026-01-20 06:00 UTC"));
    assert_eq!(world.reminded(), [""; 0], "told once: it may have been meant");
    let old = World::healthy().retire("app", 24 * 8);
    assert_eq!(old.told(), [""; 0], "it is expected again: a backup came later");
    let named = World { named: vec!["app".into()], ..World::new().mark("app", 900).good("app", 27).retire("app", 1) };
    assert_eq!(named.alarms(), ["stale"], "what the stack names can't be retired");
}

#[test]
fn retention_never_runs() {
    let world = World { prune: Some(Run::at(hours_ago(37))), ..World::healthy() };
    assert_eq!((world.alarms(), world.told()), (vec!["overdue"], vec!["prune".to_owned()]));
    let never = World { prune: None, ..World::healthy() };
    assert_eq!(never.alarms(), ["overdue"]);
    let saw = Run { standing: vec!["too few".into()], ..Run::at(Timestamp::UNIX_EPOCH) };
    let world = World { prune: Some(saw), ..World::healthy() };
    assert_eq!(world.alarms(), ["overdue"], "it saw something, and never did all of its work");
    assert!(
        world.reminded().contains(&"too few".to_owned()) && world.reminded()[0].ends_with("has never come to its end")
    );
    let mut new = World { prune: None, ..World::healthy() };
    new.last.since = Some(hours_ago(20));
    assert_eq!(new.alarms(), [""; 0], "a new stack has time");
}

#[test]
fn the_sweep_never_runs() {
    let world = World { sweep: None, ..World::healthy() };
    assert_eq!((world.alarms(), world.told()), (vec!["overdue"], vec!["sweep".to_owned()]));
}

#[test]
fn a_backup_gets_no_verdict_for_a_day() {
    let mut world = World::healthy();
    let said = "20260118/app_backup_20260118_030000 has had no verdict for more than a day".to_owned();
    world.sweep.as_mut().unwrap().standing = vec![said.clone()];
    assert_eq!(
        (world.told(), world.reminded()),
        (vec![], vec![said]),
        "each morning, because dead letters told of it once"
    );
}

#[test]
fn verdicts_grow_old() {
    let mut world = World::healthy();
    world.sweep.as_mut().unwrap().oldest_verdict = Some(hours_ago(24 * 66));
    assert_eq!((world.alarms(), world.told()), (vec!["overdue"], vec!["unverified".to_owned()]));
}

#[test]
fn nobody_confirmed_the_mail() {
    let world = World { listeners: Some(Listeners { confirmed: 0, unconfirmed: 1 }), ..World::healthy() };
    assert_eq!(world.reminded(), ["nobody gets the alarms: 1 subscription not confirmed"]);
    let nobody = World { listeners: Some(Listeners { confirmed: 0, unconfirmed: 0 }), ..World::healthy() };
    assert_eq!(nobody.reminded(), ["nobody gets the alarms: the topic has no subscription"]);
    let mut monitored = nobody.found();
    monitored.heard_elsewhere = true;
    assert_eq!(texts(&standing::of(&monitored, &World::limits(), REPOSITORY, now())), [""; 0], "a monitor is somebody");
    let unasked = World { listeners: None, ..World::healthy() };
    assert_eq!(unasked.reminded(), [""; 0], "unknown where it can't be asked");
}

#[test]
fn a_clock_is_ahead_or_behind() {
    let ahead = World::new().mark("app", 24 * 30).good("app", 27).good("app", -24 * 3);
    assert_eq!(ahead.alarms(), ["stale"], "the one of the future proves nothing");
    let behind = World::new().mark("app", 24 * 30).good("app", 29);
    assert_eq!(behind.alarms(), ["stale"], "the safe side");
}

#[test]
fn a_backup_shrinks_or_loses_its_rows() {
    let extent = |bytes, rows| Extent { bytes, rows, median_bytes: Some(10_000), median_rows: Some(10_000) };
    let with = |bytes, rows| World { extents: [("app".into(), extent(bytes, rows))].into(), ..World::healthy() };
    assert_eq!(with(9_000, 9_000).alarms(), [""; 0]);
    assert_eq!(with(4_000, 9_000).alarms(), ["shrunken"]);
    assert_eq!(with(9_000, 10).alarms(), ["emptied"]);
    let name = "app_backup_20260120_030000";
    assert_eq!(with(4_000, 10).told(), [format!("shrunken/app/{name}"), format!("emptied/app/{name}")]);
    let mut small = World::healthy();
    small.marks.get_mut("app").unwrap().min_size = Some(6_000);
    assert_eq!(small.alarms(), ["shrunken"], "by its own limit, with nothing to compare");
    assert_eq!(small.reminded(), [format!("the newest good backup {name} has 4.9 KiB, less than 5.9 KiB")]);
}

fn loss(name: &str, before: u64, after: Option<u64>) -> Loss {
    Loss { schema: Some("public".into()), name: Some(name.into()), before, after, in_bytes: false }
}

#[test]
fn a_table_loses_its_rows_or_is_gone() {
    let suffixes = [".sql.gz", ".shrunk.json", ".manifest.json", ".intact.json"];
    let world = || World::new().mark("app", 24 * 30).backup("app", 28, &suffixes).good("app", 4);
    let shrunk = World { losses: vec![loss("orders", 10_000, Some(12)), loss("users", 500, None)], ..world() };
    let name = "app_backup_20260119_030000";
    assert_eq!(shrunk.alarms(), ["emptied"]);
    assert_eq!(shrunk.told(), [format!("emptied/app/{name}")], "though a later one has lost nothing");
    let text = format!(
        "the backup {name} has lost rows: table public.orders has 12 rows, where it had 10,000 rows; table public.users is gone, with \
         500 rows; backups from before it stay until 2026-02-18 03:02 UTC"
    );
    assert_eq!(shrunk.reminded(), [text]);
    let half = World { losses: vec![loss("orders", 10_000, Some(5_000))], ..world() };
    assert_eq!((half.alarms(), half.told().len()), (vec![], 1), "half of it is no alarm, and is told");
    let accepted = [".sql.gz", ".shrunk.json", ".manifest.json", ".intact.json", ".accepted.json"];
    let accepted = World::new().mark("app", 24 * 30).backup("app", 28, &accepted).good("app", 4);
    assert_eq!((accepted.alarms(), accepted.reminded()), (vec![], Vec::<String>::new()));
}

/// Retention has listed them all; freshness lists the last days.
#[test]
fn backups_from_before_a_shrink_are_kept() {
    let seen = |until_hours: i64| {
        let backup: BackupId = "20260101/app_backup_20260101_030000".parse().unwrap();
        let record = Object { key: format!("backups/{backup}.shrunk.json"), ..World::healthy().objects[0].clone() };
        let shrunk = vec![Shrunk { backup, record, until: hours_ago(-until_hours), kept: 12 }];
        World { prune: Some(Run { shrunk, ..Run::at(hours_ago(2)) }), ..World::healthy() }
    };
    let text = &seen(24 * 11).reminded()[0];
    assert!(text.contains("app_backup_20260101_030000 has lost rows"), "{text}");
    assert!(text.contains("12 backups from before it would go, and stay until 2026-01-31 07:00 UTC"), "{text}");
    assert_eq!(seen(-1).reminded(), [""; 0], "thirty days are over");
}

/// A person has said that there is less now: the medians of before say nothing any more.
#[test]
fn what_is_accepted_is_what_later_ones_are_compared_with() {
    let extent = Extent { bytes: 4_000, rows: 10, median_bytes: Some(10_000), median_rows: Some(10_000) };
    let extents = || [("app".into(), extent)].into();
    let world = |suffixes: &[&str]| World {
        extents: extents(),
        ..World::new().mark("app", 24 * 30).backup("app", 4, suffixes)
    };
    assert_eq!(world(&[".sql.gz", ".manifest.json", ".intact.json"]).alarms(), ["shrunken", "emptied"]);
    assert_eq!(world(&[".sql.gz", ".manifest.json", ".intact.json", ".accepted.json"]).alarms(), [""; 0]);
    let before = World::new().mark("app", 24 * 30).backup("app", 28, &[".sql.gz", ".manifest.json", ".intact.json"]);
    let mut late = World { extents: extents(), ..before.good("app", 4) };
    late.put("backups/20260119/app_backup_20260119_030000.accepted.json".into(), hours_ago(1));
    assert_eq!(late.alarms(), [""; 0], "it was accepted after the newest one was judged");
}

#[test]
fn hourly_and_weekly_databases_share_a_prefix() {
    let world = |hourly: i64, weekly: i64| {
        let mut world =
            World::new().mark("hourly", 900).good("hourly", hourly).mark("weekly", 900).good("weekly", weekly);
        world.marks.get_mut("hourly").unwrap().max_age_hours = Some(2);
        world.marks.get_mut("weekly").unwrap().max_age_hours = Some(24 * 8);
        world
    };
    assert_eq!(world(1, 24 * 7).alarms(), [""; 0]);
    assert_eq!(world(3, 24 * 7).told(), ["stale/hourly"]);
    assert_eq!(world(1, 24 * 9).told(), ["stale/weekly"]);
}

#[test]
fn a_thousand_are_damaged_at_once() {
    let many = (0..1_000).fold(World::healthy(), |world, n| {
        world.backup(&format!("shop{n}"), 2, &[".sql.gz", ".manifest.json", ".damaged.json"])
    });
    let found = many.found();
    assert_eq!((many.alarms(), found.measured.damaged.len()), (vec![], 1_000), "nobody expects them");
    let told = many.told().into_iter().filter(|code| code.starts_with("damaged/")).count();
    assert_eq!(told, 1_000, "in one message: see message/tests.rs");
}

/// A drill that ended so many days ago, and the last that passed.
fn drilled(world: World, days: i64, passed: bool, last_passed: Option<i64>) -> World {
    let last = LastDrill {
        backup: "20260101/app_backup_20260101_030000".into(),
        finished: hours_ago(24 * days),
        took: SignedDuration::from_mins(12),
        passed,
        last_passed: last_passed.map(|days| hours_ago(24 * days)),
        reason: (!passed).then(|| "table `users` has 3 rows, and 4 were dumped".into()),
    };
    World { drills: [("app".into(), Drills::Last(last))].into(), ..world }
}

#[test]
fn a_drill_fails() {
    let failed = || drilled(World::healthy(), 3, false, Some(20));
    let asked = World { drill_days: 35, ..failed() };
    let code = format!("drill/app/{}", hours_ago(72));
    assert_eq!((asked.alarms(), asked.told()), (vec!["drill"], vec![code.clone()]));
    let text = "the last drill of database `app` failed, with 20260101/app_backup_20260101_030000 on 2026-01-17 07:00 UTC: \
        table `users` has 3 rows, and 4 were dumped";
    assert_eq!(asked.reminded(), [text]);
    let unasked = failed();
    assert_eq!((unasked.alarms(), unasked.reminded()), (vec![], vec![]), "it is told once");
    assert_eq!(unasked.told(), [code]);
    let commands =
        |world: &World| world.standing().remove(0).commands.into_iter().map(|[_, command]| command).collect();
    let both = ["lastgood show 20260101/app_backup_20260101_030000", "lastgood drill latest --database app"];
    let told: Vec<String> = commands(&asked);
    assert_eq!(told, both, "the backup may be gone");
}

#[test]
fn a_drill_that_fails_after_an_old_one_was_told_is_told_and_so_is_the_next() {
    let told = |days, passed, last| World { drill_days: 35, ..drilled(World::healthy(), days, passed, last) }.told();
    let codes = [told(40, true, Some(40)), told(2, false, Some(40)), told(1, false, Some(40))].concat();
    let of = |hours| format!("drill/app/{}", hours_ago(hours));
    assert_eq!(codes, ["drill/app".to_owned(), of(48), of(24)], "each has a name of its own");
}

/// What nobody knows is never healthy: its alarm must not end, and what was told is not told again when it is known again.
#[test]
fn a_database_of_which_nothing_is_known_ends_no_alarm() {
    let mut world = World { drill_days: 35, ..drilled(World::healthy(), 3, false, Some(20)) };
    world = world.mark("shop", 24);
    let failed = format!("drill/app/{}", hours_ago(72));
    world.objects.clear();
    world.last.expected = vec!["app".into()];
    assert_eq!((world.alarms(), world.told()), (vec!["stale", "drill"], vec!["trouble/app".to_owned()]));
    let gauges = world.found().measured.gauges;
    let withheld = |code: &str| standing::is_withheld(code, &gauges);
    assert!(withheld(&failed) && withheld("stale/app") && withheld("drill/app"));
    assert!(!withheld("stale/app2") && !withheld("trouble/app") && !withheld("drill/shop"));
}

/// The mark comes with the first backup: until then nothing tells since when there could have been a drill.
#[test]
fn a_database_that_only_the_stack_names_has_time_for_its_first_drill() {
    let named = |since| {
        let mut world = World { drill_days: 35, named: vec!["app".into()], ..World::new().good("app", 4) };
        world.last.since = since;
        world
    };
    assert_eq!((named(None).alarms(), named(Some(hours_ago(24 * 34))).told()), (vec![], vec![]));
    assert_eq!(named(Some(hours_ago(24 * 36))).alarms(), ["drill"]);
}

/// Nine retired databases that nobody asked about for a day: what is known of them holds, and needs no listing of a month.
#[tokio::test]
async fn retired_databases_cost_no_listing_of_a_month_each_quarter_of_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::over_directory(folder.path());
    let further = Further { asked: now() - SignedDuration::from_hours(25), objects: Vec::new() };
    let mut last = Health::at(now());
    for number in 0..9 {
        let database = format!("old{number}");
        let key = cloud.repository.layout().database_entry(&database);
        let entry = DatabaseEntry { retired: Some(now()), ..DatabaseEntry::new(&database, hours_ago(900)) };
        std::fs::create_dir_all(folder.path().join(&key).parent().unwrap()).unwrap();
        std::fs::write(folder.path().join(&key), entry.to_json().unwrap()).unwrap();
        last.further.insert(database, further.clone());
    }
    let measurer = Measurer::new(cloud.repository, World::limits(), Vec::new());
    let first = measurer.measure(&last, now()).await.unwrap();
    assert_eq!(first.retired.len(), 9);
    assert!(first.further.len() == 9 && first.further.values().all(|further| further.asked == now()));
    let (_, days) = measurer.list(&Memory::new(first.further), now()).await.unwrap();
    assert_eq!(days, 2, "the near days alone");
}

/// Those that wait to be asked about need nobody to mark them; and those that only the stack names are counted as well.
#[tokio::test]
async fn databases_that_wait_to_be_asked_about_are_told_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let named: Vec<String> = (0..9).map(|number| format!("shop{number}")).collect();
    let measurer = Measurer::new(Cloud::over_directory(folder.path()).repository, World::limits(), named);
    let last = Health { since: Some(hours_ago(900)), ..Health::at(now()) };
    let measured = measurer.measure(&last, now()).await.unwrap();
    let found = Found::new(measured, last, None, &World::limits(), now());
    let standing = standing::of(&found, &World::limits(), REPOSITORY, now());
    let waits: Vec<&Standing> = standing.iter().filter(|standing| standing.code.starts_with("waits/")).collect();
    let [waits] = waits[..] else { panic!("eight are asked about, and one waits: {standing:?}") };
    assert!(waits.text.ends_with(
        "counts as never backed up for the moment: it has no good backup of the last 31 days, and a later run asks for older ones"
    ));
    assert_eq!(waits.commands, [[""; 2]; 0]);
}

#[test]
fn no_more_of_what_a_database_lost_is_remembered_than_the_newest() {
    let lost = (0..50).fold(World::new(), |world, hours| {
        world.backup("app", hours + 1, &[".sql.gz", ".manifest.json", ".damaged.json"])
    });
    let catalog = catalogs(&Layout::bucket("backups"), lost.objects).remove(0);
    let remembered = remembered(&catalog, now()).objects;
    assert_eq!(remembered.len(), 20 * 3);
    let newest = hours_ago(1).strftime("%Y%m%d_%H%M%S").to_string();
    assert!(remembered.iter().any(|object| object.key.contains(&newest)), "the newest of them");
}

#[test]
fn drills_stop() {
    let world = |days| World { drill_days: 35, ..drilled(World::healthy(), days, true, Some(days)) };
    assert_eq!((world(34).alarms(), world(34).told()), (vec![], vec![]));
    assert_eq!((world(36).alarms(), world(36).told()), (vec!["drill"], vec!["drill/app".to_owned()]));
    assert_eq!(
        world(36).reminded(),
        ["the last drill of database `app` that passed is 36 days ago, more than 35 days"]
    );
    let unasked = drilled(World::healthy(), 900, true, Some(900));
    assert_eq!((unasked.alarms(), unasked.told()), (vec![], vec![]), "nobody asks for drills");
    // All that are expected are asked for, once any is: a new one has time.
    let young = world(3).mark("shop", 24).good("shop", 3);
    assert_eq!(young.alarms(), [""; 0]);
    let never = world(3).mark("shop", 24 * 36).good("shop", 3);
    assert_eq!((never.alarms(), never.told()), (vec!["drill"], vec!["drill/shop".to_owned()]));
    assert_eq!(never.reminded(), ["no drill of database `shop` has ever passed"]);
}

#[test]
fn a_drills_record_cannot_be_read() {
    let unreadable = |remedy| Drills::Unreadable { how: "not a status: EOF".into(), remedy };
    let drills = || [("app".into(), unreadable(Remedy::Drill))].into();
    let asked = World { drills: drills(), drill_days: 35, ..World::healthy() };
    assert_eq!((asked.alarms(), asked.told()), (vec!["drill"], vec!["drill/app".to_owned()]));
    let unasked = World { drills: drills(), ..World::healthy() };
    assert_eq!((unasked.alarms(), unasked.reminded()), (vec![], vec![]));
    let told = |remedy| {
        let world = World { drills: [("app".into(), unreadable(remedy))].into(), drill_days: 35, ..World::healthy() };
        let standing = world.standing().remove(0);
        (standing.text.ends_with("; update the AWS stack"), standing.commands.len())
    };
    let each = [Remedy::Drill, Remedy::Upgrade, Remedy::Wait].map(told);
    assert_eq!(each, [(false, 1), (true, 0), (false, 0)], "a drill mends what is broken, and nothing else");
}

/// The digest of Monday, with everything in it.
#[test]
fn monday_brings_a_digest_also_when_all_is_well() {
    let next = catalog::status::GoesNext {
        database: "app".into(),
        backup: "app_backup_20251022_030000".into(),
        from: time("2026-01-21T03:00:00Z"),
    };
    let extent = Extent { bytes: 5_000, rows: 1_204_511, median_bytes: None, median_rows: None };
    let mut world = World { extents: [("app".into(), extent)].into(), ..World::healthy() };
    world.listeners = Some(Listeners { confirmed: 2, unconfirmed: 1 });
    world = drilled(world, 3, true, Some(3));
    let text = |world: &World, kind| {
        let (found, standing) = (world.found(), world.standing());
        let gauges = &found.measured.gauges;
        let about = Digest { kind, repository: REPOSITORY, gauges, standing: &standing, now: now() };
        digest(&about, std::slice::from_ref(&next), world.listeners)
            .map(|m| format!("Subject: {}\n\n{}", m.subject, m.body))
    };
    insta::assert_snapshot!("digest_all_well", text(&world, Reminder::Weekly).unwrap());
    assert_eq!(text(&world, Reminder::Daily), None, "on another day all that is well is silent");
    let ill = World { sweep: None, ..world.mark("shop", 50) };
    insta::assert_snapshot!("reminder", text(&ill, Reminder::Daily).unwrap());
    assert!(text(&ill, Reminder::Weekly).unwrap().contains("shop\n  has no good backup"));
}
