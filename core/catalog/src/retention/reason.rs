//! Decisions and their reasons, in words a person can check.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::backup::BackupId;
use crate::catalog::State;
use crate::words;

/// Stay or go, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Stays, for each of these reasons; at least one.
    Keep(Vec<Keep>),
    /// Goes, for this reason.
    Remove(Remove),
}

/// Why an entry stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Never removed, whatever the policy.
    NewestGood,
    /// Among the last N good ones.
    Last {
        /// Its place among them, from 1.
        nth: u32,
        /// How many are kept.
        of: u32,
    },
    /// The newest good one of its day, week, month or year.
    Newest {
        /// The stretch of the calendar that it is the newest of.
        period: Period,
        /// Its place among those, counting those that have a backup, from 1.
        nth: u32,
        /// How many are kept.
        of: u32,
    },
    /// Not old enough to go.
    Young {
        /// The age at which it goes.
        days: u32,
    },
    /// No rule keeps it, and none may let it go yet.
    TooYoung {
        /// The age before which nothing goes.
        days: u32,
    },
    /// The policy has no rule that removes good backups.
    NoRuleRemoves,
    /// Without it there would be too few good ones.
    MinimumGood {
        /// How many stay in any case.
        minimum: u32,
    },
    /// It lies in the future: a clock was wrong, so that nothing tells how old it is.
    InTheFuture,
    /// A backup after it has lost rows or tables, and nobody has said yet that this is right.
    BeforeShrink {
        /// That backup.
        shrunk: BackupId,
        /// When this ends at the latest.
        until: Timestamp,
    },
    /// It may be good, and there would be too few good ones.
    MayBeGood {
        /// How many good ones there should be.
        minimum: u32,
    },
    /// There is no good backup to measure from, so nothing goes.
    NothingGood,
    /// A guest, which lastgood did not make.
    Guest,
    /// An archive without a manifest that may be a guest.
    UnknownOrigin,
    /// The newest local copy.
    NewestLocal,
    /// A local copy whose like isn't safe in the bucket.
    NotInBucket {
        /// What the bucket has under its name; None: nothing, or another archive.
        state: Option<State>,
    },
}

/// Why an entry goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remove {
    /// Old, and no rule keeps it.
    Old {
        /// The age at which it goes.
        days: u32,
        /// By how much it is older.
        by: SignedDuration,
    },
    /// No rule keeps it, and the policy has no age to wait for.
    NoRuleKeeps,
}

/// A stretch of the calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// An ISO week, Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// Why a whole plan isn't carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More good backups would go than stay.
    #[error("{removed} of {good} good backups would go, more than half: nothing is removed")]
    MoreThanHalf {
        /// Good backups that would go.
        removed: usize,
        /// Good backups there are.
        good: usize,
    },
    /// More of the good backups that were there when the day began would be gone than are left of them.
    #[error(
        "{removed} more of the {good} good backups of this morning would go after {before} today, more than half: nothing is removed"
    )]
    MoreThanHalfOfTheDay {
        /// Good backups that would go.
        removed: usize,
        /// Those that went earlier that day.
        before: usize,
        /// Good backups that there were when the day began.
        good: usize,
    },
}

impl Refusal {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::MoreThanHalf { .. } | Self::MoreThanHalfOfTheDay { .. } => {
                "read the plan with `lastgood prune --dry-run`; if it is what you want, `lastgood prune --force`"
            }
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove(reason) => reason.fmt(f),
            Self::Keep(reasons) => {
                for (place, reason) in reasons.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(f, "{comma}{reason}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewestGood => f.write_str("newest good backup"),
            Self::Last { nth, of } => write!(f, "last {nth} of {of}"),
            Self::Newest { period, nth, of } => write!(f, "{period} {nth} of {of}"),
            Self::Young { days } => write!(f, "not older than {}", in_days(*days)),
            Self::TooYoung { days } => write!(f, "nothing goes before it is {} old", in_days(*days)),
            Self::NoRuleRemoves => f.write_str("no rule removes good backups"),
            Self::MinimumGood { minimum } => write!(f, "at least {minimum} good stay"),
            Self::InTheFuture => f.write_str("lies in the future: a clock was wrong"),
            Self::BeforeShrink { shrunk, until } => {
                let until = words::minute(*until);
                write!(f, "{} has lost rows: kept until {until}, or until `lastgood accept {shrunk}`", shrunk.stem)
            }
            Self::MayBeGood { minimum } => write!(f, "not verified yet, and fewer than {minimum} good ones stay"),
            Self::NothingGood => f.write_str("nothing goes while no backup is good"),
            Self::Guest => f.write_str("guest: never removed before `lastgood adopt`"),
            Self::UnknownOrigin => f.write_str("no manifest, and not known to be ours"),
            Self::NewestLocal => f.write_str("newest local copy"),
            Self::NotInBucket { state: None } => f.write_str("not in the bucket"),
            Self::NotInBucket { state: Some(state) } => write!(f, "only {state} in the bucket"),
        }
    }
}

impl fmt::Display for Remove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRuleKeeps => f.write_str("no rule keeps it"),
            Self::Old { days, by } => match u32::try_from(by.as_hours() / 24) {
                Ok(0) => write!(f, "older than {}", in_days(*days)),
                whole => write!(f, "older than {} by {}", in_days(*days), in_days(whole.unwrap_or(u32::MAX))),
            },
        }
    }
}

fn in_days(days: u32) -> String {
    words::count(days.into(), "day")
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Year => "yearly",
        })
    }
}
