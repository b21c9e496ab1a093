//! When a restore of a database was last proved, held to what is asked.

use jiff::{SignedDuration, Timestamp};

use super::{Finding, Remedy};
use crate::clock::SKEW;
use crate::document::DocumentError;
use crate::drill::LastDrill;

/// What the record of a database's drills says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drills {
    /// There is none.
    Never,
    /// The last one.
    Last(LastDrill),
    /// It is there, and nobody knows what it says.
    Unreadable {
        /// What is wrong with it.
        how: String,
        /// What could help.
        remedy: Remedy,
    },
}

/// What is asked of a database's drills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrillsAsked {
    /// The last one that passed may be so old; `None` where none is asked for.
    pub max_age: Option<SignedDuration>,
    /// Since when there could have been one; `None` where there should be one whatever the time.
    pub since: Option<Timestamp>,
}

impl Drills {
    /// What was read of a record.
    #[must_use]
    pub fn of(read: Result<Option<LastDrill>, DocumentError>) -> Self {
        match read {
            Ok(None) => Self::Never,
            Ok(Some(last)) => Self::Last(last),
            Err(error) => {
                let remedy = if error.is_broken() { Remedy::Drill } else { Remedy::Upgrade };
                Self::Unreadable { how: error.to_string(), remedy }
            }
        }
    }

    /// The last drill, where one is known.
    #[must_use]
    pub fn last(&self) -> Option<&LastDrill> {
        if let Self::Last(last) = self { Some(last) } else { None }
    }

    /// How long a restore has not been proved for: since the last drill passed, or since there could have been one. `None` where
    /// nobody can tell, which is as bad as any: also after one that failed.
    #[must_use]
    pub fn unproved_for(&self, since: Option<Timestamp>, now: Timestamp) -> Option<SignedDuration> {
        let begin = match self {
            Self::Never => since,
            Self::Last(last) if last.passed => last.last_passed.filter(|passed| *passed <= now + SKEW),
            Self::Last(_) | Self::Unreadable { .. } => None,
        };
        begin.map(|begin| now.duration_since(begin).max(SignedDuration::ZERO))
    }
}

/// What is unhealthy about the drills of a database. Where none is asked for, only a last one that failed, or that nobody understands.
#[must_use]
pub fn check_drills(database: &str, drills: &Drills, asked: DrillsAsked, now: Timestamp) -> Option<Finding> {
    let database = database.to_owned();
    let last = match drills {
        Drills::Unreadable { how, remedy } => {
            return Some(Finding::DrillUnknown { database, how: how.clone(), remedy: *remedy });
        }
        Drills::Never => {
            let has_time = |limit| asked.since.is_some_and(|since| now.duration_since(since) <= limit);
            return asked.max_age.filter(|limit| !has_time(*limit)).map(|_| Finding::NeverDrilled { database });
        }
        Drills::Last(last) => last,
    };
    if !last.passed {
        let (backup, how) = (last.backup.clone(), last.reason.clone());
        return Some(Finding::DrillFailed { database, backup, finished: last.finished, how });
    }
    let limit = asked.max_age?;
    let Some(passed) = last.last_passed else { return Some(Finding::NeverDrilled { database }) };
    if passed > now + SKEW {
        let how = format!("the last one ended at {passed}, in the future: a clock is wrong");
        return Some(Finding::DrillUnknown { database, how, remedy: Remedy::Drill });
    }
    let (age_seconds, max_age_seconds) = (now.duration_since(passed).as_secs(), limit.as_secs());
    (age_seconds > max_age_seconds).then_some(Finding::DrillOld { database, passed, age_seconds, max_age_seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::time;

    const NOW: &str = "2026-02-20T05:00:00Z";
    const MONTH: SignedDuration = SignedDuration::from_hours(35 * 24);

    fn last(passed: bool, last_passed: Option<&str>) -> Drills {
        Drills::Last(LastDrill {
            backup: "20260120/app_backup_20260120_030000".into(),
            finished: time("2026-01-20T05:00:00Z"),
            took: SignedDuration::from_mins(12),
            passed,
            last_passed: last_passed.map(time),
            reason: (!passed).then(|| "table `users` has 3 rows, and 4 were dumped".into()),
        })
    }

    fn said(drills: &Drills, max_age: Option<SignedDuration>, since: Option<&str>) -> String {
        let asked = DrillsAsked { max_age, since: since.map(time) };
        check_drills("app", drills, asked, time(NOW)).map_or_else(String::new, |finding| finding.to_string())
    }

    #[test]
    fn only_what_is_asked_for_is_missed_and_a_failure_always() {
        let (passed, failed) = (last(true, Some("2026-01-20T05:00:00Z")), last(false, Some("2025-12-20T05:00:00Z")));
        let short = Some(SignedDuration::from_hours(24 * 7));
        assert_eq!(said(&passed, None, None), "");
        assert_eq!(said(&passed, Some(MONTH), None), "");
        let old = "the last drill of database `app` that passed is 31 days ago, more than 7 days";
        assert_eq!(said(&passed, short, None), old);
        let text = "the last drill of database `app` failed, with 20260120/app_backup_20260120_030000 on 2026-01-20 05:00 UTC: \
            table `users` has 3 rows, and 4 were dumped";
        assert_eq!([said(&failed, None, None), said(&failed, short, None)], [text, text]);
        assert_eq!(said(&Drills::Never, None, None), "");
        let never = "no drill of database `app` has ever passed";
        assert_eq!(said(&Drills::Never, Some(MONTH), None), never);
        assert_eq!(said(&Drills::Never, Some(MONTH), Some("2026-02-01T00:00:00Z")), "", "it has time for its first");
        assert_eq!(said(&Drills::Never, Some(MONTH), Some("2025-12-01T00:00:00Z")), never);
    }

    #[test]
    fn what_cannot_be_read_or_lies_in_the_future_is_no_proof() {
        let broken = Drills::Unreadable { how: "not a status: EOF".into(), remedy: Remedy::Drill };
        let text = "nothing is known of the drills of database `app`: not a status: EOF";
        assert_eq!(said(&broken, None, None), text);
        let ahead = last(true, Some("2126-01-20T05:00:00Z"));
        assert!(said(&ahead, Some(MONTH), None).contains("in the future"));
        let since = Some(time("2026-02-10T05:00:00Z"));
        let days = |drills: &Drills| drills.unproved_for(since, time(NOW)).map(|age| age.as_hours() / 24);
        let each = [
            Drills::Never,
            last(true, Some("2026-01-20T05:00:00Z")),
            last(false, Some("2026-01-20T05:00:00Z")),
            broken,
            ahead,
        ];
        assert_eq!(each.map(|drills| days(&drills)), [Some(10), Some(31), None, None, None]);
    }
}
