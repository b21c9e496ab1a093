//! Who watches the watchers: when a run of theirs is overdue, and when people get their daily message.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A run that comes each day is overdue after this: it may be late by half a day.
pub const DAILY_RUN: SignedDuration = SignedDuration::from_hours(36);
/// How much longer than it should an archive may wait to be read again: a night reads a thirtieth of the bytes.
pub const REREADING: SignedDuration = SignedDuration::from_hours(35 * 24);
/// The hour of the day, in UTC, at which people are reminded.
const REMINDER_HOUR: i8 = 7;

/// The daily message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminder {
    /// While something stands.
    Daily,
    /// On Mondays, also when all is well.
    Weekly,
}

/// The time since `last` as a share of `limit`: above 1 it is overdue. What has never been counts from `since`.
#[must_use]
pub fn share_of_limit(last: Option<Timestamp>, since: Timestamp, limit: SignedDuration, now: Timestamp) -> f64 {
    let passed = now.duration_since(last.unwrap_or(since));
    passed.as_secs_f64().max(0.0) / limit.as_secs_f64().max(1.0)
}

/// The message that is due at `at`, and since when; `None` when `last` was due since. So a run that was lost loses no message: the
/// next one sends it. Before the first message `last` is when somebody looked for the first time. Where that isn't known either,
/// only the run sends it in whose `interval` the hour falls.
#[must_use]
pub fn reminder(at: Timestamp, last: Option<Timestamp>, interval: SignedDuration) -> Option<(Reminder, Timestamp)> {
    let here = TimeZone::UTC.to_datetime(at);
    let day = if here.hour() < REMINDER_HOUR { here.date().yesterday().ok()? } else { here.date() };
    let due = day.at(REMINDER_HOUR, 0, 0, 0).to_zoned(TimeZone::UTC).ok()?.timestamp();
    let is_due = last.map_or_else(|| at.duration_since(due) < interval, |last| last < due);
    let kind = if day.weekday() == Weekday::Monday { Reminder::Weekly } else { Reminder::Daily };
    is_due.then_some((kind, due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::time;

    const INTERVAL: SignedDuration = SignedDuration::from_mins(15);

    #[test]
    fn a_run_that_never_was_counts_from_the_beginning() {
        let (since, now) = (time("2026-01-20T00:00:00Z"), time("2026-01-21T12:00:00Z"));
        assert_eq!(share_of_limit(None, since, DAILY_RUN, now), 1.0);
        assert_eq!(share_of_limit(Some(now - DAILY_RUN / 2), since, DAILY_RUN, now), 0.5);
        assert_eq!(share_of_limit(Some(now + DAILY_RUN), since, DAILY_RUN, now), 0.0, "a clock that is ahead");
    }

    /// The reminders of two weeks of runs at these minutes, of which some are lost.
    fn reminders(minute: i64, is_lost: impl Fn(Timestamp) -> bool) -> Vec<String> {
        let begin = time("2026-01-14T00:00:00Z") + SignedDuration::from_mins(minute);
        let (mut last, mut sent) = (None, Vec::new());
        for at in (0..14 * 96).map(|run| begin + INTERVAL * run).filter(|at| !is_lost(*at)) {
            if let Some((kind, due)) = reminder(at, last, INTERVAL) {
                sent.push(format!("{} {kind:?}", at.strftime("%a %H:%M")));
                last = Some(due);
            }
        }
        sent
    }

    #[test]
    fn people_are_reminded_once_a_day_whatever_the_minute_of_the_runs() {
        for minute in [0, 7, 14] {
            let sent = reminders(minute, |_| false);
            assert_eq!(sent.len(), 14, "{sent:?}");
            assert_eq!(sent[0], format!("Wed 07:{minute:02} Daily"));
            assert_eq!(sent[5], format!("Mon 07:{minute:02} Weekly"));
        }
    }

    #[test]
    fn a_lost_run_loses_no_message() {
        let lost = |at: Timestamp| (time("2026-01-19T06:00:00Z")..time("2026-01-19T22:00:00Z")).contains(&at);
        let sent = reminders(0, lost);
        assert_eq!((sent.len(), sent[5].as_str()), (14, "Mon 22:00 Weekly"), "{sent:?}");
        let days = |at: Timestamp| (time("2026-01-19T06:00:00Z")..time("2026-01-20T05:00:00Z")).contains(&at);
        assert_eq!(reminders(0, days)[5], "Tue 05:00 Weekly", "still Monday's");
    }

    #[test]
    fn the_first_days_message_is_not_lost_with_its_run() {
        let since = Some(time("2026-01-20T06:52:00Z"));
        let due = |at: &str| reminder(time(at), since, INTERVAL).map(|(_, due)| due);
        assert_eq!(due("2026-01-20T06:57:00Z"), None);
        assert_eq!(due("2026-01-20T09:07:00Z"), Some(time("2026-01-20T07:00:00Z")), "that of seven was lost");
        let later = Some(time("2026-01-20T12:00:00Z"));
        assert_eq!(reminder(time("2026-01-20T12:15:00Z"), later, INTERVAL), None, "nobody looked at seven");
        assert!(reminder(time("2026-01-21T07:00:00Z"), later, INTERVAL).is_some());
    }

    #[test]
    fn without_any_memory_one_run_a_day_reminds() {
        let begin = time("2026-01-20T00:07:00Z");
        let due = (0..96).filter(|run| reminder(begin + INTERVAL * *run, None, INTERVAL).is_some());
        assert_eq!(due.count(), 1);
    }
}
