use archive::{Sha256Hex, TableCensus};
use jiff::SignedDuration;

use super::*;
use crate::backup::Stem;
use crate::backup::{BackupId, Tag};
use crate::manifest::Manifest;
use crate::testing::{Listing, SIZE, manifest, time};
use crate::{Catalog, Policy, Record, State, plan as retention_plan, retention::Limit};
use jiff::Timestamp;

const DAY: &str = "2026-01-20T03:00:00Z";

/// A backup at this time, and what took its place `hours` later, in this state.
fn pair(listing: &mut Listing, state: State, hours: i64) -> (BackupId, BackupId) {
    let original = listing.at(State::Good, DAY);
    let erased = BackupId { stem: original.stem.as_erased(1, time(DAY)).unwrap(), ..original.clone() };
    put(listing, &erased, state, time(DAY) + SignedDuration::from_hours(hours));
    (original, erased)
}

fn put(listing: &mut Listing, id: &BackupId, state: State, at: Timestamp) {
    listing.archive(id, SIZE, at);
    if state != State::Alone {
        listing.record(id, Record::Manifest, at);
    }
    if state == State::Good {
        listing.record(id, Record::Intact, at);
    }
}

fn original_manifest(id: &BackupId) -> Manifest {
    Manifest { stem: id.stem.clone(), ..manifest() }
}

/// Of what was made of it without one of the twelve users.
fn erased_manifest(id: &BackupId, of: &Manifest) -> Manifest {
    let mut erased = Manifest { stem: id.stem.clone(), ..of.clone() };
    let table = &mut erased.census.tables[0];
    *table = TableCensus { rows: Some(11), bytes: 300, sha256: Sha256Hex([9; 32]), ..table.clone() };
    let change = ErasedTable {
        schema: "public".into(),
        name: "users".into(),
        before: 12,
        left: 1,
        came: 0,
        after: 11,
        sha256_before: Sha256Hex([1; 32]),
        sha256_after: Sha256Hex([9; 32]),
    };
    let (size, md5) = (of.archive.digest.size, of.archive.digest.md5);
    let request = request("salt", b"DELETE");
    erased.erased = Some(Erased { of: of.stem.clone(), made: time(DAY), size, md5, request, tables: vec![change] });
    erased
}

fn known(manifests: &[(&BackupId, Option<Manifest>)]) -> std::collections::BTreeMap<BackupId, Known> {
    let known =
        |manifest: &Option<Manifest>| Known { manifest: manifest.clone().map(Ok), is_open: true, ..Known::default() };
    manifests.iter().map(|(id, manifest)| ((*id).clone(), known(manifest))).collect()
}

fn fates(catalog: &Catalog, known: &std::collections::BTreeMap<BackupId, Known>) -> Vec<(String, Fate)> {
    plan(&catalog.entries, known, |_| true).into_iter().map(|row| (row.entry.id.stem.to_string(), row.fate)).collect()
}

#[test]
fn what_takes_a_backups_place_is_as_old_as_it_and_no_newer() {
    let mut listing = Listing::bucket();
    let (original, erased) = pair(&mut listing, State::Good, 900);
    listing.at(State::Good, "2026-01-21T03:00:00Z");
    let catalog = listing.catalog();
    let now = time("2026-03-01T00:00:00Z");
    assert_eq!(
        catalog.newest_good(now).unwrap().instant,
        time("2026-01-21T03:00:00Z"),
        "not the one that was stored last"
    );
    let [_, second, third] = &catalog.entries[..] else { unreachable!() };
    assert_eq!((&second.id, &third.id), (&erased, &original), "of the same instant, the newer one of the two");
    assert_eq!(
        (second.instant, second.aged_from(), third.aged_from()),
        (time(DAY), time(DAY), time(DAY) + SignedDuration::from_mins(1))
    );
    assert!(second.latest_claim() > now - SignedDuration::from_hours(72), "what was stored when is still known");
}

#[test]
fn a_label_takes_the_day_of_its_folder() {
    let mut listing = Listing::bucket();
    let label = listing.add(State::Good, &Tag::Label("initial".into()), time(DAY));
    let erased = BackupId { stem: label.stem.as_erased(1, time(DAY)).unwrap(), ..label.clone() };
    assert_eq!(erased.to_string(), "20260120/app_backup_initial_erased_1");
    put(&mut listing, &erased, State::Good, time("2026-02-20T00:00:00Z"));
    let catalog = listing.catalog();
    assert_eq!(catalog.entries[1].id, erased);
    assert_eq!(catalog.entries[1].instant, time("2026-01-20T00:00:00Z"));
}

#[test]
fn a_clock_that_was_ahead_makes_what_takes_its_place_no_newer() {
    let mut listing = Listing::bucket();
    let id = listing.id(&Tag::At(time(DAY)), time(DAY));
    put(&mut listing, &id, State::Good, time("2026-01-20T01:00:00Z"));
    let instant = listing.catalog().entries[0].instant;
    assert_eq!(id.stem.as_erased(2, instant).unwrap().as_str(), "app_backup_20260120_010000_erased_2");
    let safety = Stem::new("app", &Tag::Safety(time(DAY))).unwrap().as_erased(1, time(DAY)).unwrap();
    assert_eq!((safety.as_str(), safety.is_safety()), ("app_backup_pre_restore_20260120_030000_erased_1", true));
}

#[test]
fn it_goes_when_its_original_would_have_gone_and_no_later() {
    let mut listing = Listing::bucket();
    let erased = {
        let original = listing.id(&Tag::At(time(DAY)), time(DAY));
        BackupId { stem: original.stem.as_erased(1, time(DAY)).unwrap(), ..original }
    };
    put(&mut listing, &erased, State::Good, time("2026-03-31T00:00:00Z"));
    for day in 20..=30 {
        listing.at(State::Good, &format!("2026-04-{day}T03:00:00Z"));
    }
    let catalog = listing.catalog();
    let policy = Policy { delete_after_days: Some(90), never_younger_days: 14, minimum_good: 1, ..Policy::default() };
    let plan = retention_plan(&catalog, &policy, time("2026-04-30T12:00:00Z"), Limit::Half);
    let going: Vec<_> = plan.removals().map(|row| &row.entry.id).collect();
    assert_eq!(going, [&erased]);
}

#[test]
fn a_run_that_broke_off_is_known_by_the_repository_alone() {
    let mut listing = Listing::bucket();
    let (original, erased) = pair(&mut listing, State::Good, 900);
    let of = original_manifest(&original);
    let mine = erased_manifest(&erased, &of);
    let both = known(&[(&original, Some(of.clone())), (&erased, Some(mine.clone()))]);
    let expected =
        [(erased.stem.to_string(), Fate::Erase), (original.stem.to_string(), Fate::Finish { by: erased.clone() })];
    assert_eq!(fates(&listing.catalog(), &both), expected, "what was made of it has to be looked at as well");
    // Its removal has begun: verdict and manifest are gone, and it looks like an upload that was never finished.
    let mut half = listing.clone();
    half.objects.retain(|object| object.key.contains("_erased_") || object.key.ends_with(".sql.gz"));
    let half = fates(&half.catalog(), &known(&[(&original, None), (&erased, Some(mine.clone()))]));
    assert!(half.contains(&expected[1]), "{half:?}");
    // It was stored, and its manifest never came.
    let mut cut = listing.clone();
    cut.objects.retain(|object| !object.key.contains("_erased_") || object.key.ends_with(".sql.gz"));
    let mut catalog = cut.catalog();
    catalog.resolve(|_| Some(crate::Origin::Ours));
    let cut = fates(&catalog, &known(&[(&original, Some(of.clone())), (&erased, None)]));
    assert_eq!(cut, [(erased.stem.to_string(), Fate::Clear), (original.stem.to_string(), Fate::Erase)]);
}

/// Whoever may put a backup may call it as they like, and must not get another one removed by that.
#[test]
fn what_only_says_that_it_stands_for_a_backup_does_not() {
    let mut listing = Listing::bucket();
    let (original, erased) = pair(&mut listing, State::Good, 900);
    let of = original_manifest(&original);
    let good = erased_manifest(&erased, &of);
    let change = |change: &dyn Fn(&mut Manifest)| {
        let mut forged = good.clone();
        change(&mut forged);
        fates(&listing.catalog(), &known(&[(&original, Some(of.clone())), (&erased, Some(forged))]))[1].1.clone()
    };
    assert_eq!(change(&|_| ()), Fate::Finish { by: erased.clone() });
    assert_eq!(change(&|forged| forged.erased = None), Fate::Erase);
    assert_eq!(
        change(&|forged| forged.erased.as_mut().unwrap().md5 = archive::Md5([7; 16])),
        Fate::Erase,
        "other bytes"
    );
    assert_eq!(change(&|forged| forged.census.tables.clear()), Fate::Erase, "no rows at all");
    assert_eq!(change(&|forged| forged.census.tables[0].rows = Some(3)), Fate::Erase, "fewer than it says");
    assert_eq!(change(&|forged| forged.census.tables[1].bytes = 0), Fate::Erase, "another table");
}

#[test]
fn what_stands_in_the_way_is_named_with_what_can_be_done() {
    let mut listing = Listing::bucket();
    let states = [State::Good, State::Damaged, State::Unfinished, State::Guest, State::Missing, State::Uploaded];
    let ids: Vec<BackupId> = states
        .iter()
        .enumerate()
        .map(|(day, state)| listing.at(*state, &format!("2026-01-{:02}T03:00:00Z", 20 - day)))
        .collect();
    let mut known = known(&ids.iter().map(|id| (id, Some(original_manifest(id)))).collect::<Vec<_>>());
    for (id, state) in ids.iter().zip(states) {
        if matches!(state, State::Unfinished | State::Guest) {
            known.get_mut(id).unwrap().manifest = None;
        }
    }
    let fate =
        |known: &std::collections::BTreeMap<BackupId, Known>, at: usize| fates(&listing.catalog(), known)[at].1.clone();
    let all = [Fate::Erase]
        .into_iter()
        .chain([Obstacle::Damaged, Obstacle::Unfinished, Obstacle::Guest, Obstacle::OnlyRecords].map(Fate::Leave))
        .chain([Fate::Erase]);
    assert_eq!((0..6).map(|at| fate(&known, at)).collect::<Vec<_>>(), all.collect::<Vec<_>>());
    let first = |change: &dyn Fn(&mut Known)| {
        let mut known = known.clone();
        change(known.get_mut(&ids[0]).unwrap());
        fate(&known, 0)
    };
    let lock = Lock { until: Some(time("2026-02-20T03:00:00Z")), compliance: true };
    assert_eq!(first(&|known| known.lock = Some(lock)), Fate::Leave(Obstacle::Locked(lock)));
    assert_eq!(first(&|known| known.is_cold = true), Fate::Leave(Obstacle::Cold));
    assert_eq!(first(&|known| known.is_open = false), Fate::Leave(Obstacle::NoKey));
    let other = first(&|known| (known.is_open, known.has_keys) = (false, true));
    assert_eq!(other, Fate::Leave(Obstacle::OtherKey));
    assert_eq!(Obstacle::Locked(lock).to_string(), "Object Lock keeps it until 2026-02-20 03:00:00 UTC");
    assert_eq!((Obstacle::Locked(lock).until(), Obstacle::Cold.until()), (lock.until, None));
    assert!(Obstacle::Guest.remedy("app_backup_x").contains("lastgood adopt app_backup_x"));
}

#[test]
fn those_that_were_asked_for_come_with_what_took_their_place() {
    let mut listing = Listing::bucket();
    let (original, erased) = pair(&mut listing, State::Good, 900);
    listing.at(State::Good, "2026-01-21T03:00:00Z");
    let of = original_manifest(&original);
    let known = known(&[(&original, Some(of.clone())), (&erased, Some(erased_manifest(&erased, &of)))]);
    let catalog = listing.catalog();
    let rows = plan(&catalog.entries, &known, |id| *id == original);
    assert_eq!(rows.iter().map(|row| &row.entry.id).collect::<Vec<_>>(), [&erased, &original]);
    assert_eq!(number(rows[0].entry, &catalog.entries), Some(2));
}

#[test]
fn a_certificate_is_complete_when_the_erasure_has_ended_and_left_nothing() {
    let certified = |outcome| Certified {
        backup: "app_backup_x".into(),
        made: time(DAY),
        outcome,
        replaced_by: None,
        tables: Vec::new(),
        md5_before: None,
        md5_after: None,
        reason: None,
        until: None,
    };
    let of = |finished: bool, outcomes: &[Outcome]| Certificate {
        database: "app".into(),
        repository: "a bucket".into(),
        began: time(DAY),
        finished: finished.then(|| time(DAY)),
        asked: Asked { request: request("a", b"x"), table: None, columns: Vec::new() },
        backups: outcomes.iter().copied().map(certified).collect(),
        remains: Vec::new(),
        earlier: Vec::new(),
        agent: crate::testing::manifest().agent,
        unknown: crate::Unknown::default(),
    };
    let done = [Outcome::Erased, Outcome::Clean, Outcome::Cleared];
    let words = done.iter().chain([&Outcome::Left]).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(words, ["erased", "clean", "cleared", "left"]);
    let whole = of(true, &done);
    assert!(whole.is_complete() && of(true, &[]).is_complete());
    assert!(!of(false, &done).is_complete(), "it broke off");
    assert!(!of(true, &[Outcome::Erased, Outcome::Left]).is_complete());
    assert_eq!(Certificate::from_json(&whole.to_json().unwrap()).unwrap(), whole);
}

#[test]
fn a_request_is_told_by_its_salt_alone() {
    assert_ne!(request("a", b"x"), request("b", b"x"));
    assert_ne!(request("a", b"x"), request("a", b"y"));
    assert_eq!(request("a", b"x"), request("a", b"x"));
}
