use proptest::prelude::*;

use super::*;
use crate::backup::Tag;
use crate::testing::{Listing, time};
use crate::{Record, State};

const NOW: &str = "2026-01-20T12:00:00Z";

/// An entry with this name's time, whose archive was written at `written`.
fn entry(named: &str, written: &str, state: State) -> Entry {
    let mut listing = Listing::directory();
    let id = listing.id(&Tag::At(time(named)), time(named));
    listing.archive(&id, 7, time(written));
    if state == State::Good {
        listing.record(&id, Record::Manifest, time(written));
        listing.record(&id, Record::Intact, time(written));
    }
    listing.catalog().entries.remove(0)
}

#[test]
fn both_times_or_a_name_that_no_zone_explains_make_the_future() {
    let table = [
        ("2026-01-20T03:00:00Z", "2026-01-20T03:01:00Z", None),
        // Clocks differ by seconds.
        ("2026-01-20T12:04:00Z", "2026-01-20T12:05:00Z", None),
        ("2026-01-20T12:05:00Z", "2026-01-20T12:06:00Z", None),
        ("2026-01-20T12:06:00Z", "2026-01-20T12:07:00Z", Some("PT6M")),
        ("2036-01-20T12:00:00Z", "2036-01-20T12:01:00Z", Some("PT87648H")),
        // A copy, written now: its name still tells.
        ("2036-01-20T12:00:00Z", "2026-01-20T11:00:00Z", Some("PT87648H")),
        // An adopted guest, named in local time.
        ("2026-01-21T02:00:00Z", "2026-01-20T11:00:00Z", None),
        ("2026-01-21T03:00:00Z", "2026-01-20T11:00:00Z", Some("PT15H")),
        // Its name tells its age, whatever touched the file.
        ("2026-01-20T03:00:00Z", "2036-01-20T03:00:00Z", None),
    ];
    for (named, written, by) in table {
        let by = by.map(|by| by.parse::<SignedDuration>().unwrap());
        assert_eq!(entry(named, written, State::Good).ahead_of(time(NOW)), by, "{named}, written {written}");
    }
}

#[test]
fn it_is_named_as_such_in_its_state_and_its_age() {
    let ahead = entry("2026-01-22T12:00:00Z", "2026-01-20T11:00:00Z", State::Good);
    assert_eq!(ahead.status(time(NOW)), "good, in the future");
    assert_eq!(ahead.age(time(NOW)), SignedDuration::from_hours(-48));
    assert_eq!(ahead.status(time("2026-01-22T12:00:00Z")), "good");
    let guest = entry("2026-01-19T12:00:00Z", "2026-01-22T11:00:00Z", State::Alone);
    assert_eq!(guest.status(time(NOW)), "alone, in the future");
}

#[test]
fn latest_is_never_of_the_future_while_another_good_one_is_there() {
    let mut listing = Listing::directory();
    let ahead = listing.at(State::Good, "2036-01-20T03:00:00Z");
    let farther = listing.at(State::Uploaded, "2046-01-20T03:00:00Z");
    let latest = |listing: &Listing, now: &str| listing.catalog().find("latest", time(now)).unwrap().id.clone();
    assert_eq!(latest(&listing, NOW), ahead, "better than none");
    let good = listing.at(State::Good, "2026-01-19T03:00:00Z");
    listing.at(State::Damaged, "2026-01-20T03:00:00Z");
    assert_eq!(latest(&listing, NOW), good);
    assert_eq!(latest(&listing, "2036-01-20T03:00:00Z"), ahead, "its time has come");
    assert_eq!(listing.catalog().newest_uploaded(time(NOW)).unwrap().id.to_string(), "app_backup_20260120_030000");
    assert_eq!(listing.catalog().newest_uploaded(time("2047-01-20T03:00:00Z")).unwrap().id, farther);
}

/// Files that were copied without their times.
#[test]
fn of_equal_file_times_the_later_name_is_newer() {
    let mut listing = Listing::directory();
    let mut copied = |tag: Tag| {
        let id = listing.id(&tag, time(NOW));
        listing.archive(&id, 7, time("2020-01-01T00:00:00Z"));
        listing.record(&id, Record::Manifest, time("2020-01-01T00:00:00Z"));
        listing.record(&id, Record::Intact, time("2020-01-01T00:00:00Z"));
    };
    copied(Tag::At(time("2026-01-18T03:00:00Z")));
    copied(Tag::At(time("2026-01-20T03:00:00Z")));
    copied(Tag::Label("zebra".into()));
    copied(Tag::At(time("2026-01-19T03:00:00Z")));
    let names: Vec<String> = listing.catalog().entries.iter().map(Entry::name).collect();
    let days = ["20_030000", "19_030000", "18_030000"].map(|day| format!("app_backup_202601{day}"));
    assert_eq!(names, [&days[..], &["app_backup_zebra".to_owned()]].concat());
}

proptest! {
    #[test]
    fn a_clock_that_goes_on_takes_backups_out_of_the_future_and_none_into_it(
        named in -100_000_i64..100_000, written in -100_000_i64..100_000, now in -100_000_i64..100_000, later in 0_i64..100_000,
    ) {
        let at = |minutes: i64| time(NOW) + SignedDuration::from_mins(minutes);
        let entry = entry(&at(named).to_string(), &at(written).to_string(), State::Good);
        if entry.is_in_the_future(at(now + later)) {
            prop_assert!(entry.is_in_the_future(at(now)));
        }
        prop_assert!(!entry.is_in_the_future(at(named.max(written))));
        prop_assert_eq!(entry.is_in_the_future(at(now)), entry.age(at(now)) < -SKEW);
    }
}
