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
        [
            "the newest good backup app_backup_20260120_030000 is 2 days old, more than 26 hours",
            "the backup app_backup_20260122_040000 is damaged, and no good one is newer"
        ]
    );
}

#[test]
fn the_newest_backups_are_healthy_or_it_is_said() {
    let mut listing = a_good_week();
    listing.at(State::Damaged, "2026-01-20T09:00:00Z");
    assert_eq!(
        sentences(&listing, NOW),
        ["the backup app_backup_20260120_090000 is damaged, and no good one is newer"]
    );
    listing.at(State::Missing, "2026-01-20T10:00:00Z");
    let gone = "the backup app_backup_20260120_100000 has lost its archive, and no good one is newer; damaged or lost since the \
                newest good one: 2";
    assert_eq!(sentences(&listing, NOW), [gone]);
    listing.at(State::Uploaded, "2026-01-20T11:00:00Z");
    assert_eq!(sentences(&listing, NOW), [gone], "one that waits for its verdict hides nothing");
    listing.at(State::Good, "2026-01-20T11:30:00Z");
    assert_eq!(sentences(&listing, NOW), [""; 0], "what is older than a good one is history");
}

#[test]
fn bytes_that_were_written_again_are_not_those_of_the_verdict() {
    let mut listing = a_good_week();
    let id = listing.at(State::Good, "2026-01-20T08:00:00Z");
    listing.archive(&id, SIZE, time("2026-01-20T09:00:00Z"));
    let said =
        "the newest backup app_backup_20260120_080000 is not what was verified: it was written again after its verdict";
    assert_eq!(sentences(&listing, NOW), [said]);
}

mod records {
    use super::*;
    use crate::document::DocumentError;
    use crate::testing::manifest;
    use crate::verdict::{Expected, Verdict, Verifier, judge};
    use crate::{Manifest, Object};

    /// The backup of the tests' manifest, so many bytes large.
    fn listed(size: u64) -> Entry {
        let mut listing = Listing::bucket();
        let began = time("2026-01-20T03:00:00Z");
        listing.add_sized(State::Good, &Tag::At(began), began, size);
        listing.objects.iter_mut().for_each(|object| object.etag = Some("\"now\"".into()));
        listing.catalog().entries.remove(0)
    }

    fn verdict(object: &Object, etag: &str) -> Verdict {
        let object = Object { etag: Some(etag.into()), ..object.clone() };
        let content = archive::Content::Unread;
        let inspected = archive::Inspected { digest: manifest().archive.digest, kinds: Vec::new(), content };
        let by = Verifier { name: "test".into(), version: "0".into(), host: "here".into() };
        let evidence =
            crate::verdict::Evidence { object: &object, expected: &Expected::default(), inspected: &inspected };
        judge(None, evidence, time(NOW), by)
    }

    fn said(size: u64, manifest: Read<Manifest>, verdict: impl Fn(&Object) -> Read<Verdict>) -> Option<String> {
        let entry = listed(size);
        let verdict = verdict(entry.archive.as_ref().unwrap());
        let promised = manifest.map(|manifest| manifest.map(|manifest| manifest.archive.digest));
        contradicted(&entry, &promised, &verdict).map(|finding| finding.to_string())
    }

    #[test]
    fn what_the_records_say_holds_or_is_a_finding() {
        let whole = |object: &Object| Ok(Some(verdict(object, "now")));
        assert_eq!(said(SIZE, Ok(Some(manifest())), whole), None);
        assert_eq!(said(SIZE, Ok(None), |_| Ok(None)), None, "an adopted guest's verdict may be the function's");
        let copied =
            |object: &Object| Ok(Some(verdict(&Object { key: "elsewhere".into(), ..object.clone() }, "before")));
        assert_eq!(said(SIZE, Ok(Some(manifest())), copied), None, "a copy has other keys and ETags");

        let changed = "the newest backup app_backup_20260120_030000 is not what was verified:";
        let manifested = said(7, Ok(Some(manifest())), |_| Ok(None)).unwrap();
        assert_eq!(manifested, format!("{changed} 7 bytes are there, its manifest says 1000000"));
        let replaced = said(SIZE, Ok(None), |object| Ok(Some(verdict(object, "before")))).unwrap();
        assert_eq!(replaced, format!("{changed} the store's ETag was before and is now"));
        let mut forged = manifest();
        forged.archive.digest.md5 = archive::Md5([0; 16]);
        let rewritten = said(SIZE, Ok(Some(forged)), whole).unwrap();
        assert!(rewritten.starts_with(&format!("{changed} its manifest says that its MD5 is 00000000")), "{rewritten}");
    }

    #[test]
    fn records_that_are_cut_or_of_another_version_are_findings() {
        let cut = |json: &str| Manifest::from_json(json.as_bytes()).unwrap_err();
        for (error, word) in [(cut(""), "EOF"), (cut("{}"), "no version"), (cut(r#"{"version": 9}"#), "newer lastgood")]
        {
            let said = said(SIZE, Err(error), |_| Ok(None)).unwrap();
            assert!(said.contains("has a broken record: its manifest cannot be used") && said.contains(word), "{said}");
        }
        let broken = |_: &Object| Err(DocumentError::NoVersion { what: "verdict" });
        let said = said(SIZE, Ok(Some(manifest())), broken).unwrap();
        assert!(said.contains("its verdict cannot be used: not a verdict"), "{said}");
    }
}

/// A host whose clock was ten years ahead, and is right again.
#[test]
fn a_backup_of_the_future_is_a_finding_and_the_newest_before_it_has_the_age() {
    let mut listing = a_good_week();
    listing.at(State::Good, "2036-01-20T03:00:00Z");
    let ahead = "the newest good backup app_backup_20360120_030000 is 3,651 days in the future: a clock is wrong";
    assert_eq!(sentences(&listing, NOW), [ahead]);
    let age = |listing: &Listing| Freshness::of_good(&listing.catalog(), time(NOW)).age();
    assert_eq!(age(&listing), Some(SignedDuration::from_hours(9)));
    let stale = "the newest good backup app_backup_20260120_030000 is 3 days old, more than 26 hours";
    assert_eq!(sentences(&listing, "2026-01-23T04:00:00Z"), [stale, &ahead.replace("3,651", "3,648")]);

    let mut alone = Listing::bucket();
    alone.at(State::Good, "2036-01-20T03:00:00Z");
    assert!(sentences(&alone, NOW).contains(&ahead.to_owned()));
    assert!(age(&alone).unwrap().is_negative(), "no number is its age");
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

/// Backups of these sizes, the oldest first, a day apart.
fn sized(sizes: &[u64]) -> Listing {
    let mut listing = Listing::bucket();
    for (days, size) in (0..).zip(sizes.iter().rev()) {
        listing.add_sized(State::Good, &Tag::At(hours_ago(9 + 24 * days)), hours_ago(9 + 24 * days), *size);
    }
    listing
}

#[test]
fn without_a_limit_the_newest_is_compared_with_the_seven_before_it() {
    let found = |sizes: &[u64]| {
        let thresholds = Thresholds { min_size: None, min_count: 0, ..Thresholds::default() };
        check(&sized(sizes).catalog(), &thresholds, time(NOW)).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for sizes in
        [&[][..], &[4], &[900, 4], &[900, 900, 4], &[400, 410, 420, 400], &[4, 4, 4, 900], &[900, 900, 900, 450]]
    {
        let found = found(sizes);
        assert!(found.is_empty() || sizes.is_empty(), "{sizes:?}: {found:?}");
    }
    let told = "the newest good backup app_backup_20260120_030000 has 449 bytes, less than half of the usual 900 bytes";
    assert_eq!(found(&[900, 900, 900, 449]), [told]);
    // One that is small, or large, is not the usual one; and what is more than seven backups ago is forgotten.
    assert_eq!(found(&[9_000_000, 900, 4, 900, 900, 449]), [told]);
    assert_eq!(found(&[900, 900, 900, 300, 300, 300, 300, 300, 300, 300, 299]), Vec::<String>::new());
}

#[test]
fn as_many_are_asked_for_as_days_have_gone_by() {
    let day = SignedDuration::from_hours(26);
    let asked = [0, 23, 24, 49, 167, 168, 9_000].map(|hours| usual_count(Some(hours_ago(hours)), day, time(NOW)));
    assert_eq!(asked, [0, 0, 1, 2, 6, 7, 7]);
    let weekly = SignedDuration::from_hours(8 * 24);
    let asked = [24, 8 * 24, 30 * 24].map(|hours| usual_count(Some(hours_ago(hours)), weekly, time(NOW)));
    assert_eq!(asked, [0, 1, 3]);
    assert_eq!([None, Some(hours_ago(-5))].map(|first| usual_count(first, day, time(NOW))), [0, 0]);
}
