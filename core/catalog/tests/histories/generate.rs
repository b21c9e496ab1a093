//! Histories: what was made when, by which clocks, under which policy, and what time it is thought to be.

use catalog::{Catalog, Layout, Policy, Record, Stem, Tag};
use jiff::Timestamp;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

use super::store::{DATABASE, Kind, Store, later};

pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Moments at which calendars and clocks have their edges.
const EDGES: [&str; 14] = [
    "1970-01-02T00:00:00Z",
    "1999-12-31T23:59:59Z",
    "2000-02-29T12:00:00Z",
    "2016-12-31T23:59:59Z", // before a leap second
    "2017-01-01T00:00:00Z",
    "2020-12-31T23:59:59Z", // in week 53
    "2021-01-03T23:59:59Z", // still in it
    "2024-02-29T00:00:00Z",
    "2024-03-01T00:00:00Z",
    "2026-03-29T01:00:00Z", // summer time begins
    "2038-01-19T03:14:08Z",
    "2100-02-28T23:59:59Z", // no leap year
    "9999-12-27T00:00:00Z",
    "9999-12-29T23:59:59Z",
];

pub(crate) struct History {
    pub(crate) store: Store,
    /// What an honest listing of it says.
    pub(crate) catalog: Catalog,
    pub(crate) policy: Policy,
    /// What the clock of retention says.
    pub(crate) now: Timestamp,
    /// When the newest backup was made, or would have been.
    pub(crate) newest: Timestamp,
}

pub(crate) fn history(random: &mut StdRng) -> History {
    let newest = moment(random);
    let mut store = match random.random_range(0..4) {
        0 => Store::new(Layout::directory(), false),
        1 => Store::new(Layout::bucket("backups"), false),
        _ => Store::new(Layout::bucket("backups"), true),
    };
    for (place, ago) in ages(random).into_iter().enumerate() {
        make(&mut store, later(newest, -ago), place, random);
    }
    neighbours(&mut store, newest);
    rows_lost(&mut store, random);
    for _ in 0..if random.random_bool(0.2) { random.random_range(1..4) } else { 0 } {
        lock(&mut store, random);
    }
    let right = later(newest, random.random_range(0..DAY));
    let now = if random.random_bool(0.6) { right } else { clock(&store, newest, random) };
    History { catalog: store.honest(), policy: policy(random), store, now, newest }
}

pub(crate) fn moment(random: &mut StdRng) -> Timestamp {
    match random.random_range(0..5) {
        0 => Timestamp::from_second(random.random_range(2 * DAY..253_370_000_000)).unwrap(),
        1 | 2 => {
            let edge: Timestamp = EDGES.choose(random).unwrap().parse().unwrap();
            later(edge, *[0, 1, -1, random.random_range(-2 * DAY..2 * DAY)].choose(random).unwrap())
        }
        _ => later("2026-06-30T03:00:00Z".parse().unwrap(), random.random_range(-200 * DAY..200 * DAY)),
    }
}

/// What a clock may say: right or wrong by anything, stuck, at an edge, at the very second of a backup or of an age.
pub(crate) fn clock(store: &Store, newest: Timestamp, random: &mut StdRng) -> Timestamp {
    let of_a_backup = store
        .made
        .choose(random)
        .map_or(newest, |made| if random.random_bool(0.5) { made.written } else { made.instant() });
    match random.random_range(0..6) {
        0 => moment(random),
        1 => later(newest, random.random_range(-400 * DAY..400 * DAY)),
        2 => later(of_a_backup, *[0, -1, 1, -300, -301, 300, 301, -299].choose(random).unwrap()),
        3 => later(of_a_backup, random.random_range(0..120) * DAY + random.random_range(-1..2)),
        4 => Timestamp::UNIX_EPOCH,
        _ => *[Timestamp::MAX, Timestamp::MIN, later(Timestamp::MAX, -DAY)].choose(random).unwrap(),
    }
}

/// How many seconds before the newest one each was made.
fn ages(random: &mut StdRng) -> Vec<i64> {
    let count = if random.random_bool(0.1) { random.random_range(0..4) } else { random.random_range(4..40) };
    let every = *[HOUR, 6 * HOUR, 12 * HOUR, DAY, DAY, DAY, 7 * DAY, 30 * DAY].choose(random).unwrap();
    let style = random.random_range(0..5);
    let age = |place: i64, random: &mut StdRng| match style {
        0 => place * every,
        1 => place * every + random.random_range(0..=HOUR),
        2 => random.random_range(0..10_000 * HOUR),
        // Thinner the older.
        3 => place * place * every / 4,
        _ => random.random_range(0..2 * HOUR),
    };
    (0..count).map(|place| age(place, random)).collect()
}

fn make(store: &mut Store, named: Timestamp, place: usize, random: &mut StdRng) {
    let kind = *[
        Kind::Good,
        Kind::Good,
        Kind::Good,
        Kind::Good,
        Kind::Good,
        Kind::Good,
        Kind::Good,
        Kind::Good,
        Kind::Damaged,
        Kind::Rotten,
        Kind::Uploaded,
        Kind::Uploaded,
        Kind::Unfinished,
        Kind::Guest,
        Kind::Unknown,
        Kind::Missing,
    ]
    .choose(random)
    .unwrap();
    let tag = match random.random_range(0..12) {
        0 => Tag::Label(format!("label{place}")),
        1 => Tag::Safety(named),
        _ => Tag::At(named),
    };
    let written = match random.random_range(0..20) {
        0..12 => later(named, random.random_range(0..300)),
        12 | 13 => named,
        14 => Timestamp::UNIX_EPOCH,
        15 => later(named, 3_650 * DAY),
        _ => later(named, random.random_range(-5_000 * HOUR..5_000 * HOUR)),
    };
    let made = store.make(kind, &tag, named, written);
    let Some(id) = made.filter(|_| kind != Kind::Missing) else { return };
    if matches!(kind, Kind::Good | Kind::Rotten) && random.random_bool(0.1) {
        // Read again.
        let record = if kind == Kind::Good { Record::Intact } else { Record::Damaged };
        store.record(&id, record, later(written, 30 * DAY));
    }
    if kind == Kind::Good && random.random_bool(0.05) {
        // Rows were erased from it, and the original is still there.
        let number = random.random_range(1..4);
        let erased: Option<Stem> = id.stem.as_erased(number, named.min(written)).ok();
        let place = |stem| catalog::BackupId { stem, ..id.clone() };
        erased.and_then(|stem| store.make_called(Kind::Good, place(stem), later(written, 100 * DAY)));
    }
}

/// Other databases, whose names begin with ours or end with it, and what isn't a backup.
fn neighbours(store: &mut Store, newest: Timestamp) {
    for (database, days) in [("app_staging", 400), ("my app", 0), ("App", 90)] {
        let at = later(newest, -days * DAY);
        let Ok(stem) = Stem::new(database, &Tag::At(at)) else { continue };
        let id = store.layout.place(stem, at);
        let keys = [store.archive(&id), store.layout.manifest(&id), store.layout.record(&id, Record::Intact)];
        keys.iter().for_each(|key| store.put_foreign(key, at));
    }
    let old = later(newest, -4_000 * DAY);
    let prefix = store.layout.prefix().to_owned();
    let own = [store.layout.database_entry(DATABASE), store.layout.drill_status(DATABASE)];
    let foreign = [
        "notes.txt",
        "20200101/app_backup.sql.gz",
        "20200101/app_backup_.sql.gz",
        "app.sql.gz",
        "20200101/app_backup_x.tar",
    ];
    own.into_iter().chain(foreign.map(|name| format!("{prefix}{name}"))).for_each(|key| store.put_foreign(&key, old));
}

/// Some have lost rows since the one before them, and for some of these a person has said that it is right.
fn rows_lost(store: &mut Store, random: &mut StdRng) {
    let count = if random.random_bool(0.3) { random.random_range(1..4) } else { 0 };
    for _ in 0..count {
        if store.made.is_empty() {
            return;
        }
        let place = random.random_range(0..store.made.len());
        let made = store.made[place].clone();
        if !made.is_backup() || made.id.stem.is_safety() || store.has_record(&made.id, Record::Shrunk) {
            continue;
        }
        let since = later(made.written, *[0, 60, random.random_range(-100 * DAY..100 * DAY)].choose(random).unwrap());
        store.record(&made.id, Record::Shrunk, since);
        if random.random_bool(0.3) {
            store.record(&made.id, Record::Accepted, later(since, DAY));
        } else {
            store.made[place].shrunk = Some(since);
        }
    }
}

fn lock(store: &mut Store, random: &mut StdRng) {
    let which = random.random_range(0..store.objects.len());
    for version in store.objects.values_mut().nth(which).unwrap() {
        version.locked = true;
    }
}

pub(crate) fn policy(random: &mut StdRng) -> Policy {
    let few = |random: &mut StdRng| if random.random_bool(0.5) { 0 } else { random.random_range(0..10) };
    let [keep_last, daily, weekly, monthly, yearly] = std::array::from_fn(|_| few(random));
    Policy {
        keep_last,
        daily,
        weekly,
        monthly,
        yearly,
        delete_after_days: if random.random_bool(0.5) { Some(random.random_range(0..120)) } else { None },
        minimum_good: *[0, 1, 2, 7, random.random_range(0..12)].choose(random).unwrap(),
        never_younger_days: if random.random_bool(0.7) { 0 } else { random.random_range(0..40) },
        unfinished_grace_days: *[7, 0, 1, random.random_range(0..40)].choose(random).unwrap(),
    }
}
