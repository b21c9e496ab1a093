use super::*;
use crate::State;
use crate::backup::Tag;
use crate::testing::{Listing, SIZE, time};

const NOW: &str = "2026-01-20T12:00:00Z";

fn hours_ago(hours: i64) -> Timestamp {
    time(NOW) - SignedDuration::from_hours(hours)
}

fn a_good_week() -> Listing {
    let mut listing = Listing::bucket();
    for day in 0..7 {
        listing.add(State::Good, &Tag::At(hours_ago(9 + 24 * day)), hours_ago(9 + 24 * day));
    }
    listing
}

fn sentences(listing: &Listing, now: &str) -> Vec<String> {
    check(&listing.catalog(), &Thresholds::default(), time(now)).iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_week_is_healthy() {
    assert_eq!(sentences(&a_good_week(), NOW), Vec::<String>::new());
    let age = Freshness::of_good(&a_good_week().catalog(), time(NOW)).age();
    assert_eq!(age, Some(SignedDuration::from_hours(9)));
}

#[test]
fn never_is_a_finding_and_counts_what_nobody_verified() {
    let mut listing = Listing::bucket();
    assert_eq!(sentences(&listing, NOW), ["database `app` has no good backup"]);
    listing.add(State::Damaged, &Tag::At(hours_ago(2)), hours_ago(2));
    listing.add(State::Guest, &Tag::At(hours_ago(3)), hours_ago(3));
    listing.add(State::Good, &Tag::Safety(hours_ago(4)), hours_ago(4));
    listing.add(State::Uploaded, &Tag::At(hours_ago(1)), hours_ago(1));
    assert_eq!(sentences(&listing, NOW), ["database `app` has no good backup; not verified yet: 1"]);
    assert_eq!(Freshness::of_good(&listing.catalog(), time(NOW)), Freshness::Never);
    assert_eq!(Freshness::of_uploaded(&listing.catalog(), time(NOW)).age(), Some(SignedDuration::from_hours(1)));
}

#[test]
fn stale_begins_after_the_threshold() {
    assert_eq!(sentences(&a_good_week(), "2026-01-21T05:00:00Z"), Vec::<String>::new());
    assert_eq!(
        sentences(&a_good_week(), "2026-01-21T05:00:01Z"),
        ["the newest good backup app_backup_20260120_030000 is 26 hours old, more than 26 hours"]
    );
}

#[test]
fn uploads_do_not_freshen() {
    let mut listing = a_good_week();
    listing.at(State::Uploaded, "2026-01-22T03:00:00Z");
    listing.at(State::Damaged, "2026-01-22T04:00:00Z");
    assert_eq!(
        sentences(&listing, "2026-01-22T05:00:00Z"),
        ["the newest good backup app_backup_20260120_030000 is 2 days old, more than 26 hours"]
    );
}

#[test]
fn a_clock_behind_the_backups_is_a_finding_beyond_a_few_minutes() {
    assert_eq!(sentences(&a_good_week(), "2026-01-20T02:56:00Z"), Vec::<String>::new());
    assert_eq!(
        sentences(&a_good_week(), "2026-01-19T03:00:00Z"),
        ["the newest good backup app_backup_20260120_030000 is 24 hours in the future: a clock is wrong"]
    );
}

#[test]
fn too_few_counts_good_ones_alone() {
    let mut listing = a_good_week();
    let lost = listing.objects.iter().position(|object| object.key.contains("intact")).unwrap();
    listing.objects.remove(lost);
    let findings = sentences(&listing, NOW);
    assert!(findings.contains(&"database `app` has 6 good backups, fewer than 7".to_owned()), "{findings:?}");
}

/// The guide's loop counted too-small files in a subshell, lost its count, and always passed.
#[test]
fn a_too_small_backup_is_found_wherever_it_stands() {
    let mut listing = a_good_week();
    listing.add_sized(State::Good, &Tag::At(hours_ago(100)), hours_ago(100), 102_399);
    assert_eq!(
        sentences(&listing, NOW),
        ["the good backup app_backup_20260116_080000 has 102399 bytes, fewer than 102400"]
    );
    listing.add_sized(State::Good, &Tag::At(hours_ago(99)), hours_ago(99), 7);
    listing.add_sized(State::Good, &Tag::At(hours_ago(98)), hours_ago(98), 102_400);
    listing.add_sized(State::Uploaded, &Tag::At(hours_ago(97)), hours_ago(97), SIZE);
    assert_eq!(
        sentences(&listing, NOW),
        ["2 good backups have fewer than 102400 bytes, the newest is app_backup_20260116_090000 with 7"]
    );
}

#[test]
fn programs_read_findings_by_their_code() {
    let findings = check(&a_good_week().catalog(), &Thresholds::default(), time("2026-01-23T03:00:00Z"));
    insta::assert_json_snapshot!(findings, @r#"
    [
      {
        "code": "stale",
        "id": "20260120/app_backup_20260120_030000",
        "ageSeconds": 259200,
        "maxAgeSeconds": 93600
      }
    ]
    "#);
}
