//! Decides from the listing alone whether to verify a backup now.

use std::fmt;

use catalog::verdict::Outcome;
use catalog::{Entry, Object, SKEW};
use jiff::{SignedDuration, Timestamp};

/// A saved place that is older than this was given up: three tries take less, each an hour and a half after the one before,
/// which is how long the queue of arrivals hides a message.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(5);

/// An archive of ours whose manifest is later than this counts as never committed.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// An archive may come that much later than its manifest: where both are copied from another bucket, either may be first.
const EARLY: SignedDuration = SignedDuration::from_hours(1);

/// How long a vault waits for an archive after it has seen its manifest: S3 replicates most objects within minutes, and promises no time.
const REPLICATED: SignedDuration = SignedDuration::from_hours(48);

/// The same for the manifest of an archive. What has none for so long goes.
const LATE_REPLICA: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Why a backup is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Its manifest arrived, or in a vault its archive.
    Arrived,
    /// A saved place arrived, with this `ETag`.
    GoesOn {
        /// `None` when the event does not say it.
        etag: Option<String>,
    },
    /// The sweep found it.
    Swept,
}

/// What to do with a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Read it from its beginning.
    Anew,
    /// Read on from the place saved in this object.
    GoOn(Object),
    /// In a vault no time tells whether this verdict is about what is there now: ask the verdict.
    Ask(Object),
    /// In a vault: note that something of it hasn't come.
    Await,
    /// Do not read it, for this reason.
    Not(Skip),
}

/// Why a backup is not verified now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// It has a verdict on its present bytes.
    Judged,
    /// Another invocation is reading it.
    InProgress,
    /// The event is about a saved place that a newer one has replaced.
    Superseded,
    /// Its bytes are in an archive storage class.
    InGlacier,
    /// It no longer exists.
    Gone,
    /// Its manifest came lately, and its archive isn't there.
    NotYet,
    /// It is an archive of ours whose manifest has not come, or never came.
    Uncommitted,
    /// It may be whole, but the function can't follow it to its end, and nothing says what its bytes should be.
    BeyondLimits,
    /// This function does not act on such keys.
    Foreign,
}

/// Decides what to do with a backup. The times of verdict and saved place are the store's own, and so is their order; a
/// place written in the same second as the verdict came before it.
pub(super) fn due(entry: &Entry, why: &Why, now: Timestamp, reverify_after: SignedDuration) -> Due {
    let Some(archive) = &entry.archive else { return missing(entry, now) };
    // Found damaged before its manifest came, usually because there was none. The store's times are whole seconds: in the
    // manifest's own second, that it doesn't come was said only so long after the archive, which no other verdict is.
    let said_late = |damaged: &Object| damaged.last_modified.duration_since(archive.last_modified) >= LATE;
    let is_overtaken = entry.manifest.as_ref().zip(entry.damaged.as_ref()).is_some_and(|(manifest, damaged)| {
        manifest.last_modified > damaged.last_modified
            || manifest.last_modified == damaged.last_modified && said_late(damaged)
    });
    let verdict = entry.judged().filter(|verdict| *verdict == Outcome::Intact || !is_overtaken);
    let judged = verdict.and_then(|outcome| match outcome {
        Outcome::Intact => entry.intact.as_ref(),
        Outcome::Damaged => entry.damaged.as_ref(),
    });
    let judged = judged.map(|verdict| verdict.last_modified);
    let is_current = |place: &&Object| {
        place.last_modified >= archive.last_modified && judged.is_none_or(|judged| place.last_modified > judged)
    };
    let place = entry.verifying.as_ref().filter(is_current);
    // A verdict of the future says nothing about its age.
    let has_aged = |judged: Timestamp| now.duration_since(judged) > reverify_after || judged.duration_since(now) > SKEW;
    let reverify = *why == Why::Swept && verdict == Some(Outcome::Intact) && judged.is_some_and(has_aged);
    match (why, place) {
        (Why::GoesOn { etag }, Some(place)) => match etag {
            Some(etag) if place.bare_etag().is_some_and(|current| current != etag.trim_matches('"')) => {
                Due::Not(Skip::Superseded)
            }
            _ => readable(archive, Due::GoOn(place.clone())),
        },
        (_, Some(place)) if now.duration_since(place.last_modified) < GIVEN_UP => Due::Not(Skip::InProgress),
        (_, Some(place)) => readable(archive, Due::GoOn(place.clone())),
        (_, None) if judged.is_some() && !reverify => {
            again(entry, why, verdict).map_or(Due::Not(Skip::Judged), Due::Ask)
        }
        (_, None) => readable(archive, Due::Anew),
    }
}

/// The verdict that a vault has to ask. Whatever arrives may be another version of what was judged, with any time: whoever rules the first
/// account chooses it. A sweep asks what was called damaged, for it may have been before all of it had come.
fn again(entry: &Entry, why: &Why, verdict: Option<Outcome>) -> Option<Object> {
    let is_asked = entry.is_replica && (*why == Why::Arrived || verdict == Some(Outcome::Damaged));
    let said = match verdict? {
        Outcome::Intact => entry.intact.as_ref(),
        Outcome::Damaged => entry.damaged.as_ref(),
    };
    said.filter(|_| is_asked).cloned()
}

/// Decides about an archive of ours without a manifest: `Anew` is to say that it never was a backup.
pub(super) fn uncommitted(entry: &Entry, archive: &Object, now: Timestamp) -> Due {
    let (since, late) = match (entry.is_replica, entry.awaited_since) {
        (true, None) => return Due::Await,
        (true, Some(since)) => (since, LATE_REPLICA),
        (false, _) => (archive.last_modified, LATE),
    };
    if now.duration_since(since) < late { Due::Not(Skip::Uncommitted) } else { Due::Anew }
}

fn readable(archive: &Object, due: Due) -> Due {
    if archive.readable { due } else { Due::Not(Skip::InGlacier) }
}

/// Decides without an archive: only a manifest needs a verdict then, and one verdict is enough. A young manifest may have
/// come before its archive.
pub(super) fn missing(entry: &Entry, now: Timestamp) -> Due {
    match (&entry.manifest, &entry.damaged) {
        (None, _) => Due::Not(Skip::Gone),
        (Some(manifest), Some(said)) if said.last_modified >= manifest.last_modified => Due::Not(Skip::Judged),
        (Some(manifest), _) => match (entry.is_replica, entry.awaited_since) {
            (true, None) => Due::Await,
            (true, Some(since)) if now.duration_since(since) < REPLICATED => Due::Not(Skip::NotYet),
            (false, _) if now.duration_since(manifest.last_modified) < EARLY => Due::Not(Skip::NotYet),
            _ => Due::Anew,
        },
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Judged => "it has its verdict",
            Self::InProgress => "another invocation is reading it",
            Self::Superseded => "a newer saved place has replaced this one",
            Self::InGlacier => "it is in Glacier and cannot be read",
            Self::Gone => "it is gone",
            Self::NotYet => "its archive hasn't come",
            Self::Uncommitted => "its manifest hasn't come",
            Self::BeyondLimits => "it is beyond the limits of lastgood, and nothing is known of it",
            Self::Foreign => "the key is neither a manifest nor a saved place",
        })
    }
}

#[cfg(test)]
mod tests {
    use catalog::{Layout, catalogs};

    use super::*;

    const STEM: &str = "b/20260120/app_backup_20260120_030000";

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A backup with these files, each written at its time of that day; `!` marks one that is in Glacier.
    fn entry(files: &[(&str, &str)]) -> Entry {
        let objects = files.iter().map(|(suffix, written)| Object {
            key: format!("{STEM}{}", suffix.trim_end_matches('!')),
            size: 1,
            last_modified: time(&format!("2026-01-20T{written}Z")),
            etag: Some("current".into()),
            version_id: None,
            readable: !suffix.ends_with('!'),
        });
        catalogs(&Layout::bucket("b"), objects).remove(0).entries.remove(0)
    }

    fn decide(files: &[(&str, &str)], why: &Why, now: &str) -> Due {
        due(&entry(files), why, time(now), SignedDuration::from_hours(30 * 24))
    }

    const NOW: &str = "2026-01-20T04:00:00Z";
    const NEXT_MONTH: &str = "2026-02-20T04:00:00Z";
    const ARCHIVE: (&str, &str) = (".sql.gz", "03:00:00");
    const MANIFEST: (&str, &str) = (".manifest.json", "03:00:01");
    const INTACT: (&str, &str) = (".intact.json", "03:00:02");

    #[test]
    fn a_new_backup_is_verified_and_a_verified_one_is_not() {
        assert_eq!(decide(&[ARCHIVE, MANIFEST], &Why::Arrived, NOW), Due::Anew);
        for why in [Why::Arrived, Why::Swept, Why::GoesOn { etag: None }] {
            assert_eq!(decide(&[ARCHIVE, MANIFEST, INTACT], &why, NOW), Due::Not(Skip::Judged), "{why:?}");
        }
        assert_eq!(
            decide(&[ARCHIVE, MANIFEST, (".damaged.json", "03:00:02")], &Why::Swept, NEXT_MONTH),
            Due::Not(Skip::Judged)
        );
    }

    #[test]
    fn bytes_newer_than_their_verdict_are_verified() {
        let replaced = [(".sql.gz", "03:30:00"), MANIFEST, INTACT];
        assert_eq!(decide(&replaced, &Why::Swept, NOW), Due::Anew);
    }

    #[test]
    fn a_manifest_that_comes_after_all_is_looked_at_whatever_was_said_without_it() {
        let late = [ARCHIVE, (".damaged.json", "03:00:01"), (".manifest.json", "03:30:00")];
        assert_eq!(decide(&late, &Why::Arrived, NOW), Due::Anew);
        assert_eq!(decide(&late, &Why::Swept, NOW), Due::Anew);
        let read = [ARCHIVE, (".manifest.json", "03:00:01"), (".damaged.json", "03:00:01")];
        assert_eq!(decide(&read, &Why::Arrived, NOW), Due::Not(Skip::Judged));
    }

    #[test]
    fn a_manifest_that_comes_in_the_second_in_which_it_was_given_up_is_looked_at() {
        let mut given_up = entry(&[ARCHIVE, (".damaged.json", "03:00:00"), (".manifest.json", "03:00:00")]);
        for late in [given_up.damaged.as_mut(), given_up.manifest.as_mut()].into_iter().flatten() {
            late.last_modified += LATE;
        }
        let later = given_up.archive.as_ref().unwrap().last_modified + LATE;
        for why in [Why::Arrived, Why::Swept] {
            assert_eq!(due(&given_up, &why, later, SignedDuration::MAX), Due::Anew, "{why:?}");
        }
    }

    #[test]
    fn only_the_sweep_verifies_again_and_only_what_was_intact_long_ago() {
        assert_eq!(decide(&[ARCHIVE, MANIFEST, INTACT], &Why::Swept, NEXT_MONTH), Due::Anew);
        assert_eq!(decide(&[ARCHIVE, MANIFEST, INTACT], &Why::Arrived, NEXT_MONTH), Due::Not(Skip::Judged));
        let of_the_future = "2026-01-20T02:00:00Z";
        assert_eq!(decide(&[ARCHIVE, MANIFEST, INTACT], &Why::Swept, of_the_future), Due::Anew);
    }

    #[test]
    fn a_saved_place_is_gone_on_from_by_its_own_event_or_when_it_was_given_up() {
        let files = [ARCHIVE, MANIFEST, (".verifying.json", "03:15:00")];
        let place = entry(&files).verifying.unwrap();
        let own = Why::GoesOn { etag: Some("\"current\"".into()) };
        assert_eq!(decide(&files, &own, NOW), Due::GoOn(place.clone()));
        assert_eq!(decide(&files, &Why::GoesOn { etag: None }, NOW), Due::GoOn(place.clone()));
        let late = Why::GoesOn { etag: Some("earlier".into()) };
        assert_eq!(decide(&files, &late, NOW), Due::Not(Skip::Superseded));
        assert_eq!(decide(&files, &Why::Arrived, NOW), Due::Not(Skip::InProgress));
        assert_eq!(decide(&files, &Why::Swept, "2026-01-20T08:14:59Z"), Due::Not(Skip::InProgress));
        assert_eq!(decide(&files, &Why::Swept, "2026-01-20T08:15:00Z"), Due::GoOn(place));
    }

    #[test]
    fn a_saved_place_from_before_the_verdict_or_the_bytes_is_nothing() {
        let judged = [ARCHIVE, MANIFEST, (".verifying.json", "03:00:02"), INTACT];
        assert_eq!(decide(&judged, &Why::GoesOn { etag: None }, NOW), Due::Not(Skip::Judged));
        let replaced = [(".sql.gz", "03:30:00"), MANIFEST, (".verifying.json", "03:15:00")];
        assert_eq!(decide(&replaced, &Why::Swept, NOW), Due::Anew);
    }

    #[test]
    fn what_lies_in_glacier_is_skipped_unless_it_has_its_verdict() {
        let archive = (".sql.gz!", "03:00:00");
        assert_eq!(decide(&[archive, MANIFEST], &Why::Swept, NOW), Due::Not(Skip::InGlacier));
        assert_eq!(decide(&[archive, MANIFEST, INTACT], &Why::Swept, NOW), Due::Not(Skip::Judged));
        assert_eq!(decide(&[archive, MANIFEST, INTACT], &Why::Swept, NEXT_MONTH), Due::Not(Skip::InGlacier));
    }

    #[test]
    fn a_missing_archive_is_judged_once() {
        let later = "2026-01-20T04:00:01Z";
        for why in [Why::Arrived, Why::Swept] {
            assert_eq!(decide(&[MANIFEST], &why, NOW), Due::Not(Skip::NotYet), "its archive may still come");
            assert_eq!(decide(&[MANIFEST], &why, later), Due::Anew);
        }
        assert_eq!(decide(&[MANIFEST, (".damaged.json", "03:00:02")], &Why::Swept, NOW), Due::Not(Skip::Judged));
        assert_eq!(decide(&[(".verifying.json", "03:00:02")], &Why::Swept, NOW), Due::Not(Skip::Gone));
    }

    /// The same in a vault; a verdict of its own bears its account's number.
    fn decide_in_a_vault(files: &[(&str, &str)], why: &Why, now: &str) -> Due {
        let mut entry = entry(files);
        entry.is_replica = true;
        due(&entry, why, time(now), SignedDuration::from_hours(30 * 24))
    }

    #[test]
    fn in_a_vault_a_manifest_waits_for_its_archive_for_two_days() {
        // However old it is: the times are the first bucket's, and the copies of a year may come in one night.
        assert_eq!(decide_in_a_vault(&[MANIFEST], &Why::Arrived, NEXT_MONTH), Due::Await);
        let seen = [MANIFEST, (".awaited.json", "03:30:00")];
        for (now, expected) in [("2026-01-22T03:29:59Z", Due::Not(Skip::NotYet)), ("2026-01-22T03:30:00Z", Due::Anew)] {
            assert_eq!(decide_in_a_vault(&seen, &Why::Swept, now), expected, "{now}");
        }
    }

    #[test]
    fn in_a_vault_an_archive_waits_for_its_manifest_for_a_week_and_not_by_its_own_time() {
        let at = |files: &[(&str, &str)], is_replica: bool, now: &str| {
            let mut entry = entry(files);
            entry.is_replica = is_replica;
            uncommitted(&entry, &entry.archive.clone().unwrap(), time(now))
        };
        assert_eq!(at(&[ARCHIVE], true, NEXT_MONTH), Due::Await);
        let seen = [ARCHIVE, (".awaited.json", "03:30:00")];
        assert_eq!(at(&seen, true, "2026-01-27T03:29:59Z"), Due::Not(Skip::Uncommitted));
        assert_eq!(at(&seen, true, "2026-01-27T03:30:00Z"), Due::Anew);
        assert_eq!(at(&[ARCHIVE], false, "2026-01-21T02:59:59Z"), Due::Not(Skip::Uncommitted));
        assert_eq!(at(&[ARCHIVE], false, "2026-01-21T03:00:00Z"), Due::Anew);
    }

    #[test]
    fn in_a_vault_a_verdict_from_before_all_had_come_is_asked() {
        let damaged = (".damaged.json", "03:30:00");
        let asked = Due::Ask(entry(&[ARCHIVE, MANIFEST, damaged]).damaged.unwrap());
        for why in [Why::Arrived, Why::Swept] {
            assert_eq!(decide_in_a_vault(&[ARCHIVE, MANIFEST, damaged], &why, NOW), asked, "{why:?}");
            assert_eq!(decide(&[ARCHIVE, MANIFEST, damaged], &why, NOW), Due::Not(Skip::Judged), "times tell there");
        }
        // What arrives may be another version, of any time; a sweep can't ask them all.
        let intact = Due::Ask(entry(&[ARCHIVE, MANIFEST, INTACT]).intact.unwrap());
        assert_eq!(decide_in_a_vault(&[ARCHIVE, MANIFEST, INTACT], &Why::Arrived, NOW), intact);
        assert_eq!(decide_in_a_vault(&[ARCHIVE, MANIFEST, INTACT], &Why::Swept, NOW), Due::Not(Skip::Judged));
    }

    #[test]
    fn a_guest_is_verified_by_the_sweep() {
        assert_eq!(decide(&[ARCHIVE], &Why::Swept, NOW), Due::Anew);
        assert_eq!(decide(&[ARCHIVE, INTACT], &Why::Swept, NOW), Due::Not(Skip::Judged));
    }
}
