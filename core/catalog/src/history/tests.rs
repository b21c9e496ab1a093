use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::testing::time;

const NOW: &str = "2026-11-27T04:00:00Z";

fn good(day: &str, rows: u64) -> Day {
    let made = time(&format!("{day}T03:00:00Z"));
    Day {
        backup: Some(format!("app_backup_{}", day.replace('-', ""))),
        made: Some(made),
        size: Some(rows * 100),
        rows: Some(rows),
        ..Day::at(made, DayVerdict::Good)
    }
}

fn of(days: Vec<Day>) -> History {
    History { days, ..History::new("app") }
}

#[test]
fn a_history_is_this_document() {
    let drill = PastDrill {
        finished: time(NOW),
        backup: "20261127/app_backup_20261127_030000".into(),
        passed: true,
        seconds: 62,
    };
    let history = History { drills: vec![drill], ..of(vec![good("2026-11-27", 12)]) };
    let json = String::from_utf8(history.to_json().unwrap()).unwrap();
    insta::assert_snapshot!(json, @r#"{"version":1,"database":"app","days":[{"day":"2026-11-27","verdict":"good","backup":"app_backup_20261127","made":"2026-11-27T03:00:00Z","size":1200,"rows":12}],"drills":[{"finished":"2026-11-27T04:00:00Z","backup":"20261127/app_backup_20261127_030000","passed":true,"seconds":62}]}"#);
    assert_eq!(History::from_json(json.as_bytes()).unwrap(), history);
}

#[test]
fn a_bad_hour_stays_and_the_facts_are_those_of_the_later_backup() {
    let bad = Day::at(time(NOW), DayVerdict::Late);
    let merged = of(vec![bad]).merge(of(vec![good("2026-11-27", 12)]));
    let [day] = merged.days.as_slice() else { panic!("{merged:?}") };
    assert_eq!((day.verdict, day.rows), (DayVerdict::Late, Some(12)));
    assert!(merged.covers(&of(vec![good("2026-11-27", 12)])), "it needn't be written again");
    assert!(!merged.covers(&of(vec![good("2026-11-28", 12)])));
}

#[test]
fn a_clock_that_is_ahead_takes_no_year_away() {
    let begin = time(NOW) - SignedDuration::from_hours(24 * 399);
    let day = |n: i64| Day::at(begin + SignedDuration::from_hours(24 * n), DayVerdict::Good);
    let year = of((0..400).map(day).collect());
    let ahead = year.clone().merge(of(vec![Day::at(time("2126-01-01T00:00:00Z"), DayVerdict::Never)]));
    assert_eq!((ahead.days.len(), ahead.days[0].day), (DAYS, year.days[1].day), "only the oldest day made room");
    let right = ahead.until(time(NOW));
    assert_eq!((right.days.len(), right.days.last().unwrap().day), (399, day_of(time(NOW))));
}

/// A day begins earlier in the east: tomorrow is today there.
#[test]
fn drills_and_days_beyond_tomorrow_are_of_a_wrong_clock() {
    let drill =
        |finished: &str| PastDrill { finished: time(finished), backup: String::new(), passed: true, seconds: 1 };
    let ends = ["2026-11-26T23:00:00Z", "2026-11-28T23:59:59Z", "2026-11-29T00:00:00Z"];
    let days = ends.map(|end| Day::at(time(end), DayVerdict::Good)).to_vec();
    let history = History { drills: ends.map(drill).to_vec(), ..of(days) }.until(time(NOW));
    assert_eq!((history.days.len(), history.drills), (2, vec![drill(ends[0]), drill(ends[1])]));
}

#[test]
fn what_is_newer_or_broken_is_refused_and_more_stays_with_its_day() {
    let newer = History::from_json(br#"{"version":2,"database":"app","days":[]}"#).unwrap_err();
    assert!(!newer.is_broken());
    for broken in ["", "[]", r#"{"version":1}"#, r#"{"version":1,"database":"app","days":[{"day":"soon"}]}"#] {
        assert!(History::from_json(broken.as_bytes()).unwrap_err().is_broken(), "{broken}");
    }
    let later =
        br#"{"version":1,"database":"app","days":[{"day":"2026-11-26","verdict":"good","mood":3}],"weather":"fine"}"#;
    let read = History::from_json(later).unwrap().merge(of(vec![good("2026-11-01", 1), good("2026-11-26", 1)]));
    let json = String::from_utf8(read.to_json().unwrap()).unwrap();
    assert!(json.contains(r#""rows":1,"mood":3}"#) && json.contains(r#""weather":"fine""#), "{json}");
}

#[test]
fn findings_make_the_days_verdict() {
    let few = Finding::TooFew { database: "app".into(), good: 1, min_count: 7 };
    let never = Finding::Never { database: "app".into(), unverified: 0 };
    assert_eq!(DayVerdict::of([]), DayVerdict::Good);
    assert_eq!(DayVerdict::of([&few]), DayVerdict::Warned);
    assert_eq!(DayVerdict::of([&never, &few]), DayVerdict::Never);
}

fn any_day() -> impl Strategy<Value = Day> {
    let verdicts = [DayVerdict::Good, DayVerdict::Warned, DayVerdict::Late, DayVerdict::Damaged, DayVerdict::Never];
    let facts = (0..3_i64, proptest::option::of(0..3_u64), proptest::option::of(0..3_u64));
    (0..30_i64, proptest::sample::select(verdicts.to_vec()), facts, proptest::option::of(0..3)).prop_map(
        |(day, verdict, (made, size, rows), more)| {
            let made = (made > 0).then(|| time("2026-01-01T00:00:00Z") + SignedDuration::from_hours(made));
            let more = more.map(|n| ("more".to_owned(), Value::from(n))).into_iter().collect();
            let at = time("2026-01-01T00:00:00Z") + SignedDuration::from_hours(24 * day);
            Day { made, size, rows, more, ..Day::at(at, verdict) }
        },
    )
}

fn history() -> impl Strategy<Value = History> {
    let drill = (0..5_i64, any::<bool>()).prop_map(|(n, passed)| PastDrill {
        finished: time(NOW) - SignedDuration::from_hours(n),
        backup: "app_backup_x".into(),
        passed,
        seconds: 1,
    });
    (proptest::collection::vec(any_day(), 0..40), proptest::collection::vec(drill, 0..6)).prop_map(|(days, drills)| {
        // As it is read: one entry for a day.
        History { drills, ..of(days) }.merge(History::new("app"))
    })
}

proptest! {
    /// Whoever writes last loses nothing that another one knew, in any order and however often.
    #[test]
    fn writers_agree_in_any_order(a in history(), b in history(), c in history()) {
        let both = a.clone().merge(b.clone());
        prop_assert_eq!(&both, &b.clone().merge(a.clone()));
        prop_assert_eq!(both.clone().merge(c.clone()), a.clone().merge(b.clone().merge(c)));
        prop_assert!(both.covers(&a) && both.covers(&b) && both.covers(&both));
    }

    /// It is bounded, has one entry for a day, in order, and comes back as it was stored.
    #[test]
    fn it_is_bounded_and_comes_back(a in history()) {
        prop_assert!(a.days.windows(2).all(|two| two[0].day < two[1].day));
        prop_assert!(a.days.len() <= DAYS && a.drills.len() <= DRILLS);
        prop_assert_eq!(&History::from_json(&a.to_json().unwrap()).unwrap(), &a);
    }
}
