use proptest::prelude::*;

use super::*;
use crate::backup::Tag;
use crate::testing::{Listing, time};
use crate::{Catalog, State};

const NOW: &str = "2026-06-30T06:00:00Z";
const AFTER: SignedDuration = SignedDuration::from_hours(25 * 24);

/// Good backups of these ages in days, each with its size, verified three minutes after they were made.
fn backups(ages: impl IntoIterator<Item = (i64, u64)>) -> Catalog {
    let mut listing = Listing::bucket();
    for (age, size) in ages {
        let made = time(NOW) - SignedDuration::from_hours(24 * age + 3);
        listing.add_sized(State::Good, &Tag::At(made), made, size);
    }
    listing.catalog()
}

fn due(catalog: &Catalog) -> (Vec<i64>, usize, usize) {
    let found = rereading(&catalog.entries, time(NOW), AFTER);
    let age = |entry: &&Entry| entry.age(time(NOW)).as_hours() / 24;
    (found.due.iter().map(age).collect(), found.left, found.in_glacier)
}

#[test]
fn the_oldest_verdicts_come_first_and_a_thirtieth_of_the_bytes_a_run() {
    assert_eq!(due(&backups((0..90).map(|day| (day, 10)))), (vec![89, 88, 87], 62, 0));
    assert_eq!(due(&backups((0..25).map(|day| (day, 10)))), (vec![], 0, 0), "nothing is old");
    assert_eq!(
        due(&backups([(0, 10), (25, 10), (26, 10)])),
        (vec![26], 1, 0),
        "one where a thirtieth is less than one"
    );
    let one_large = (0..100).map(|day| (day, if day == 98 { 1_000 } else { 10 }));
    assert_eq!(due(&backups(one_large)).0, [99], "what doesn't fit waits until it is the oldest");
}

#[test]
fn a_verdict_is_due_when_it_is_older_than_asked_for_and_not_before() {
    let read = time(NOW) - AFTER;
    let mut listing = Listing::bucket();
    for second in [0, 1] {
        let made = read - SignedDuration::from_secs(180 + second);
        listing.add_sized(State::Good, &Tag::At(made), made, 10);
    }
    let catalog = listing.catalog();
    let found = rereading(&catalog.entries, time(NOW), AFTER);
    assert_eq!(
        found.due.iter().map(|entry| entry.found_intact()).collect::<Vec<_>>(),
        [Some(read - SignedDuration::from_secs(1))]
    );
}

#[test]
fn glacier_is_counted_and_left_out() {
    let mut catalog = backups((0..60).map(|day| (day, 10)));
    for entry in catalog.entries.iter_mut().filter(|entry| entry.age(time(NOW)).as_hours() > 31 * 24) {
        entry.archive.as_mut().unwrap().readable = false;
    }
    assert_eq!(due(&catalog), (vec![30], 5, 29), "a thirtieth of what can be read");
    let (oldest, _) = oldest_verdict(&catalog.entries).unwrap();
    assert_eq!(oldest.age(time(NOW)).as_hours() / 24, 30);
}

#[test]
fn damaged_ones_and_those_nobody_verified_are_not_read_again() {
    let mut listing = Listing::bucket();
    for state in [State::Damaged, State::Uploaded, State::Missing, State::Unfinished, State::Guest] {
        listing.at(state, &format!("2026-01-0{}T03:00:00Z", state as u8 + 1));
    }
    assert_eq!(due(&listing.catalog()), (vec![], 0, 0));
    assert_eq!(oldest_verdict(&listing.catalog().entries), None);
}

#[test]
fn a_verdict_of_the_future_is_due_after_all_others() {
    let mut listing = Listing::directory();
    listing.at(State::Good, "2036-01-01T03:00:00Z");
    listing.at(State::Good, "2026-01-01T03:00:00Z");
    listing.at(State::Good, "2026-06-30T03:00:00Z");
    let catalog = listing.catalog();
    let found = rereading(&catalog.entries, time(NOW), AFTER);
    assert_eq!((found.due[0].name().as_str(), found.left), ("app_backup_20260101_030000", 1));
}

proptest! {
    #[test]
    fn every_backup_has_its_turn_and_no_run_takes_more_than_its_part(sizes in prop::collection::vec(1_u64..50, 1..80)) {
        let mut catalog = backups(sizes.iter().zip(30..).map(|(size, age)| (age, *size)));
        let total: u64 = sizes.iter().sum();
        let mut runs = 0;
        loop {
            let found = rereading(&catalog.entries, time(NOW), AFTER);
            let read: Vec<_> = found.due.iter().map(|entry| entry.id.clone()).collect();
            let bytes: u64 = found.due.iter().map(|entry| entry.size()).sum();
            prop_assert!(read.len() == 1 || bytes * PART <= total, "{bytes} of {total}");
            if read.is_empty() {
                break;
            }
            for entry in catalog.entries.iter_mut().filter(|entry| read.contains(&entry.id)) {
                entry.intact.as_mut().unwrap().last_modified = time(NOW);
            }
            runs += 1;
            prop_assert!(runs <= sizes.len());
        }
    }
}
