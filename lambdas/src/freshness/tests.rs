use catalog::freshness::Finding;

use super::*;

const MAX_AGE: SignedDuration = SignedDuration::from_hours(26);

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn gauge(newest_good: Option<&str>, since: &str, now: Timestamp) -> Gauge {
    let newest_good = newest_good.map(|made| LastGood { name: "x".into(), made: time(made) });
    let newest = newest_good.as_ref().map(|good| good.made);
    let is_stale = newest.is_none_or(|newest| now.duration_since(newest) > MAX_AGE);
    let finding = is_stale.then(|| Finding::Never { database: "app".into(), unverified: 0 });
    let (good, uploaded) = (Freshness::Never, Freshness::Never);
    Gauge { database: "app".into(), good, uploaded, finding, newest_good, since: Some(time(since)) }
}

/// How many of a week's scheduled runs would tell.
fn told(newest_good: Option<&str>, since: &str) -> usize {
    let begin = time("2026-01-20T03:15:00Z");
    let runs = (0..7 * 96).map(|run| begin + INTERVAL * run);
    runs.filter(|at| gauge(newest_good, since, *at).turned_stale(MAX_AGE, *at)).count()
}

#[test]
fn a_database_that_became_stale_is_told_by_one_run_alone() {
    assert_eq!(told(Some("2026-01-20T03:00:00Z"), "2026-01-01T00:00:00Z"), 1);
    assert_eq!(told(Some("2026-01-20T03:07:12Z"), "2026-01-01T00:00:00Z"), 1);
    assert_eq!(told(Some("2026-01-18T03:00:00Z"), "2026-01-01T00:00:00Z"), 0, "it was stale before");
}

#[test]
fn a_database_that_never_had_a_good_backup_is_told_when_one_is_overdue() {
    assert_eq!(told(None, "2026-01-20T03:00:00Z"), 1);
    assert_eq!(told(None, "2025-01-20T03:00:00Z"), 0, "it was told long ago");
}
