use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::backup::Tag;
use crate::layout::{Layout, Record};
use crate::testing::{Listing, object, time};
use crate::verdict::Outcome;

const NOON: &str = "2026-01-20T12:00:00Z";

fn states(catalog: &Catalog) -> Vec<(String, State)> {
    catalog.entries.iter().map(|entry| (entry.name(), entry.state)).collect()
}

fn only(listing: &Listing) -> Entry {
    let catalog = listing.catalog();
    assert_eq!(catalog.entries.len(), 1, "{:?}", states(&catalog));
    catalog.entries.into_iter().next().unwrap()
}

#[test]
fn the_listing_alone_tells_every_state() {
    let all =
        [State::Good, State::Damaged, State::Uploaded, State::Alone, State::Unfinished, State::Guest, State::Missing];
    for state in all {
        let mut listing = Listing::bucket();
        listing.at(state, NOON);
        assert_eq!(only(&listing).state, state);
    }
}

#[test]
fn in_a_vault_an_archive_may_come_until_its_own_verifier_says_that_it_is_missing() {
    let mut listing = Listing::bucket();
    listing.layout = Layout::bucket("backups").vault_of("222222222222");
    let id = listing.at(State::Missing, NOON);
    assert!(!only(&listing).is_lost());
    // The first account's word for it came along, and goes with the rest.
    let others = Layout::bucket("backups").damaged(&id);
    listing.objects.push(object(&others, 100, time(NOON)));
    let entry = only(&listing);
    assert!(!entry.is_lost() && entry.removal().any(|object| object.key == others), "{entry:?}");
    listing.record(&id, Record::Damaged, time("2026-01-22T13:00:00Z"));
    assert!(only(&listing).is_lost());
    let mut elsewhere = Listing::bucket();
    elsewhere.at(State::Missing, NOON);
    assert!(only(&elsewhere).is_lost(), "nothing comes after its manifest there");
}

#[test]
fn the_newer_verdict_counts_and_a_tie_is_damaged() {
    for (minutes, state) in [(2, State::Good), (3, State::Damaged), (4, State::Damaged)] {
        let mut listing = Listing::bucket();
        let id = listing.at(State::Good, NOON); // intact, three minutes past
        listing.record(&id, Record::Damaged, time(NOON) + SignedDuration::from_mins(minutes));
        assert_eq!(only(&listing).state, state, "{minutes}");
    }
}

#[test]
fn a_verdict_older_than_the_archives_bytes_does_not_count() {
    for verdict in [State::Good, State::Damaged] {
        let mut listing = Listing::bucket();
        let id = listing.at(verdict, NOON);
        listing.archive(&id, 7, time("2026-01-20T13:00:00Z"));
        let entry = only(&listing);
        assert_eq!(entry.state, State::Uploaded);
        assert_eq!(entry.size(), 7, "the newest version of the archive is the one that counts");
        assert_eq!(entry.superseded.len(), 1);
    }
}

#[test]
fn a_guest_judged_before_it_was_adopted_is_good_once_adopted() {
    let mut listing = Listing::bucket();
    let id = listing.at(State::Guest, NOON);
    listing.record(&id, Record::Intact, time("2026-01-20T13:00:00Z"));
    let guest = only(&listing);
    assert_eq!(
        (guest.state, guest.judged(), guest.status(time(NOON)).as_str()),
        (State::Guest, Some(Outcome::Intact), "guest, intact")
    );
    assert!(!guest.counts_as_good());

    listing.record(&id, Record::Manifest, time("2026-01-20T14:00:00Z"));
    assert_eq!(only(&listing).state, State::Good);
}

#[test]
fn the_instant_is_the_earlier_of_name_and_writing() {
    let mut listing = Listing::bucket();
    let id = listing.id(&Tag::At(time("2099-01-01T00:00:00Z")), time(NOON));
    listing.archive(&id, 7, time(NOON));
    listing.record(&id, Record::Manifest, time(NOON));
    assert_eq!(only(&listing).instant, time(NOON), "a clock ahead makes no backup newer");

    let mut listing = Listing::bucket();
    listing.at(State::Good, NOON);
    assert_eq!(only(&listing).instant, time(NOON), "a copy written later is as old as its name says");

    let mut listing = Listing::bucket();
    listing.add(State::Good, &Tag::Label("initial".into()), time(NOON));
    assert_eq!(only(&listing).instant, time("2026-01-20T12:01:00Z"), "a label says no time");
}

#[test]
fn a_guests_name_is_in_local_time_and_says_nothing() {
    let mut listing = Listing::bucket();
    listing.at(State::Guest, NOON);
    assert_eq!(only(&listing).instant, time("2026-01-20T12:01:00Z"));

    let mut listing = Listing::bucket();
    listing.at(State::Unfinished, NOON);
    assert_eq!(only(&listing).instant, time(NOON));
}

#[test]
fn entries_stand_newest_first_whatever_the_names() {
    let mut listing = Listing::bucket();
    listing.at(State::Good, "2026-01-18T03:00:00Z");
    listing.add(State::Good, &Tag::Label("zebra".into()), time("2026-01-17T03:00:00Z"));
    listing.at(State::Good, "2026-01-19T03:00:00Z");
    let names: Vec<_> = listing.catalog().entries.iter().map(Entry::name).collect();
    assert_eq!(names, ["app_backup_20260119_030000", "app_backup_20260118_030000", "app_backup_zebra"]);
}

/// The guide's scripts listed thirty keys in alphabetical order, and took any database's.
#[test]
fn latest_is_the_newest_good_one_of_its_own_database() {
    let mut listing = Listing::bucket();
    for day in 0..40 {
        let began = time(NOON) + SignedDuration::from_hours(24 * day);
        listing.add(State::Good, &Tag::At(began), began);
    }
    let newest = listing.at(State::Good, "2026-04-01T03:00:00Z");
    listing.at(State::Uploaded, "2026-04-02T03:00:00Z");
    listing.at(State::Damaged, "2026-04-03T03:00:00Z");
    let safety = time("2026-04-04T03:00:00Z");
    listing.add(State::Good, &Tag::Safety(safety), safety);

    let mut objects = listing.objects.clone();
    for object in &listing.objects {
        let key = object.key.replace("app_backup", "app_staging_backup");
        objects.push(Object { key, last_modified: object.last_modified, ..object.clone() });
    }
    let now = time("2026-04-05T03:00:00Z");
    let catalogs = catalogs(&listing.layout, objects);
    let names: Vec<_> = catalogs.iter().map(|catalog| catalog.database.as_str()).collect();
    assert_eq!(names, ["app", "app_staging"]);
    let app = catalogs.first().unwrap();
    assert_eq!(app.entries.len(), 44);
    assert_eq!(app.find("latest", now).unwrap().id, newest);
    assert_eq!(app.newest_uploaded(now).unwrap().state, State::Damaged);
}

#[test]
fn a_backup_is_found_by_stem_and_by_folder_where_a_label_repeats() {
    let mut listing = Listing::bucket();
    let label = Tag::Label("initial".into());
    let first = listing.add(State::Good, &label, time("2026-01-01T03:00:00Z"));
    assert_eq!(listing.catalog().find("app_backup_initial", time(NOON)).unwrap().id, first);
    assert_eq!(only(&listing).name(), "app_backup_initial");

    assert_eq!(listing.catalog().find("initial", time(NOON)).unwrap().id, first, "as `--name` had it");
    let second = listing.add(State::Good, &label, time("2026-01-02T03:00:00Z"));
    let catalog = listing.catalog();
    let error = catalog.find("app_backup_initial", time(NOON)).unwrap_err();
    insta::assert_snapshot!(error, @"`app_backup_initial` is the name of 2 backups: 20260102/app_backup_initial, 20260101/app_backup_initial");
    assert_eq!(catalog.find("20260101/app_backup_initial", time(NOON)).unwrap().id, first);
    assert_eq!(catalog.entries[0].name(), second.to_string());
    assert!(matches!(catalog.find("initial", time(NOON)), Err(NotFound::Ambiguous { .. })));
    assert_eq!(catalog.find("20260102/initial", time(NOON)).unwrap().id, second);
}

#[test]
fn what_is_not_there_is_said_so() {
    let mut listing = Listing::bucket();
    listing.at(State::Uploaded, NOON);
    let catalog = listing.catalog();
    insta::assert_snapshot!(catalog.find("latest", time(NOON)).unwrap_err(), @"database `app` has no good backup");
    insta::assert_snapshot!(catalog.find("app_backup_x", time(NOON)).unwrap_err(), @"database `app` has no backup `app_backup_x`");
    assert!(matches!(catalog.find("yesterday", time(NOON)), Err(NotFound::Name(_))));
    for (name, next) in [("latest", "`lastgood verify`"), ("app_backup_x", "`lastgood list`")] {
        let hint = catalog.find(name, time(NOON)).unwrap_err().hint();
        assert!(hint.contains(next), "{name}: {hint}");
    }
}

#[test]
fn an_expected_database_without_backups_has_a_catalog() {
    let layout = Layout::bucket("backups");
    let catalogs = catalogs(&layout, [object("backups/databases/my.20app.json", 10, time(NOON))]);
    assert_eq!(catalogs.len(), 1);
    assert_eq!(catalogs[0].database, "my app");
    assert!(catalogs[0].expected.is_some() && catalogs[0].entries.is_empty());
}

#[test]
fn of_all_states_the_damaged_and_the_lost_are_called_damaged() {
    let mut listing = Listing::bucket();
    let all = [State::Good, State::Damaged, State::Uploaded, State::Unfinished, State::Guest, State::Missing];
    for (day, state) in all.into_iter().enumerate() {
        listing.at(state, &format!("2026-01-{:02}T12:00:00Z", day + 1));
    }
    let catalog = listing.catalog();
    let damaged: Vec<State> = catalog.damaged().map(|entry| entry.state).collect();
    assert_eq!(damaged, [State::Missing, State::Damaged]);
}

/// A bucket keeps what was written before; limits that somebody has set since are those that count.
#[test]
fn of_two_versions_of_a_databases_entry_the_younger_counts_wherever_it_is_listed() {
    let layout = Layout::bucket("backups");
    let versions = [NOON, "2026-01-21T12:00:00Z"].map(|at| object(&layout.database_entry("app"), 10, time(at)));
    for listed in [versions.to_vec(), versions.iter().rev().cloned().collect()] {
        assert_eq!(catalogs(&layout, listed)[0].expected, Some(versions[1].clone()));
    }
}

#[test]
fn a_guest_with_dots_in_its_name_shares_the_catalog_of_its_database() {
    let objects = ["my.db_backup_initial.sql.gz", "my.2Edb_backup_20260120_120000.sql.gz"];
    let catalogs = catalogs(&Layout::directory(), objects.map(|key| object(key, 7, time(NOON))));
    assert_eq!(catalogs.len(), 1);
    assert_eq!((catalogs[0].database.as_str(), catalogs[0].entries.len()), ("my.db", 2));
}

#[test]
fn an_archive_under_another_suffix_is_a_stray_that_nothing_removes() {
    let mut listing = Listing::bucket();
    let id = listing.at(State::Good, NOON);
    let stray = listing.layout.archive(&id, archive::Compression::Zstd, false);
    listing.objects.push(object(&stray, 9, time("2026-01-20T15:00:00Z")));
    let entry = only(&listing);
    assert_eq!(entry.state, State::Good, "the manifest was put after the other archive");
    assert_eq!(entry.strays.len(), 1);
    assert!(entry.removal().all(|object| object.key != stray));
}

#[test]
fn removal_takes_verdict_and_manifest_first_and_the_archive_last() {
    let mut listing = Listing::bucket();
    let id = listing.at(State::Good, NOON);
    listing.record(&id, Record::Drill, time("2026-01-21T12:00:00Z"));
    listing.record(&id, Record::Intact, time("2026-01-22T12:00:00Z"));
    listing.record(&id, Record::Globals, time("2026-01-20T12:00:00Z"));
    listing.record(&id, Record::Shrunk, time("2026-01-20T12:00:00Z"));
    listing.record(&id, Record::Accepted, time("2026-01-22T12:00:00Z"));
    let records = ["intact.json", "drill.json", "shrunk.json", "accepted.json", "manifest.json", "globals.sql.gz"];
    let expected: Vec<&str> = records.into_iter().chain(["intact.json", "sql.gz"]).collect();
    assert_eq!(removal_of(&only(&listing)), expected);
}

#[test]
fn what_a_killed_run_stored_beside_its_archive_goes_with_it() {
    for record in [Record::Globals, Record::SealedGlobals, Record::Index, Record::SealedIndex, Record::Links] {
        let mut listing = Listing::bucket();
        let id = listing.at(State::Alone, NOON);
        listing.record(&id, record, time("2026-01-20T12:00:00Z"));
        let mut entry = only(&listing);
        entry.resolve(Origin::Ours);
        assert_eq!(entry.state, State::Unfinished);
        let removal = removal_of(&entry);
        assert!(
            removal.len() == 2 && removal[0].contains(".gz") && removal[0] != "sql.gz" && removal[1] == "sql.gz",
            "{removal:?}"
        );
    }
}

fn removal_of(entry: &Entry) -> Vec<String> {
    entry.removal().map(|object| object.key.rsplit_once("_120000.").unwrap().1.to_owned()).collect()
}

proptest! {
    #[test]
    fn the_order_of_the_listing_does_not_matter(
        rows in proptest::collection::vec((0_u8..4, 0_u8..9, 0_i64..3), 1..40),
        order in any::<prop::sample::Index>(),
    ) {
        let layout = Layout::bucket("b");
        let id = |backup: u8| format!("2026010{}/app_backup_{}", backup % 2 + 1, ["initial", "20260101_000000"][usize::from(backup / 2)]);
        let suffixes = [".sql.gz", ".sql.zst", ".manifest.json", ".intact.json", ".damaged.json", ".drill.json", ".verifying.json", ".globals.sql.gz", ".x"];
        let mut objects: Vec<Object> = rows
            .iter()
            .enumerate()
            .map(|(version, (backup, suffix, second))| Object {
                version_id: Some(version.to_string()),
                ..object(&format!("b/{}{}", id(*backup), suffixes[usize::from(*suffix)]), 1, Timestamp::from_second(*second).unwrap())
            })
            .collect();
        let forward = catalogs(&layout, objects.clone());
        let by = order.index(objects.len());
        objects.rotate_left(by);
        objects.reverse();
        prop_assert_eq!(catalogs(&layout, objects), forward);
    }
}

use jiff::Timestamp;
