//! The rules for good backups, in the manner of restic's and Borg's: each takes the newest backup of every period that
//! has one, from the newest back, until it has as many as it asks for.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::policy::Policy;
use super::reason::{Decision, Keep, Period, Remove};
use crate::catalog::{Catalog, Entry};

/// A decision for each good backup of the catalog, newest first.
///
/// What lies in the future of `now` stays. The others are judged without it, so that it takes no place of theirs; and as a clock
/// would that has come to it, so that nothing goes because a clock is behind and the newest ones seem to lie in the future.
pub(super) fn for_good(catalog: &Catalog, policy: &Policy, anchor: Option<Timestamp>, now: Timestamp) -> Vec<Decision> {
    // Ages counted from the newest of all: what seems young by a clock that is behind would fill the minimum, and push out
    // what fills it by a right one.
    let all = decide(catalog.good(), policy, catalog.good().next().map(|newest| newest.instant));
    let mut without = decide(catalog.good().filter(|entry| !entry.is_in_the_future(now)), policy, anchor).into_iter();
    let merged = catalog.good().zip(all).map(|(entry, with)| {
        let without = if entry.is_in_the_future(now) { None } else { without.next() };
        match (without, with) {
            (None, _) => Decision::Keep(vec![Keep::InTheFuture]),
            (Some(Decision::Remove(_)), kept @ Decision::Keep(_)) => kept,
            (Some(without), _) => without,
        }
    });
    merged.collect()
}

/// A decision for each of these good backups, which come newest first.
fn decide<'a>(good: impl Iterator<Item = &'a Entry>, policy: &Policy, anchor: Option<Timestamp>) -> Vec<Decision> {
    let mut rules = calendar(policy);
    let mut kept = 0;
    let reasons = good.zip(1..).map(|(entry, nth)| {
        let mut reasons = Vec::new();
        reasons.extend((nth == 1).then_some(Keep::NewestGood));
        reasons.extend((nth <= policy.keep_last).then_some(Keep::Last { nth, of: policy.keep_last }));
        reasons.extend(rules.iter_mut().filter_map(|rule| rule.keeps(entry)));
        reasons.extend(policy.keeps_all_good().then_some(Keep::NoRuleRemoves));
        let removal = removal(entry, policy, anchor);
        reasons.extend(policy.delete_after_days.filter(|_| removal.is_none()).map(|days| Keep::Young { days }));
        if reasons.is_empty() && is_too_young(entry, policy, anchor) {
            reasons.push(Keep::TooYoung { days: policy.never_younger_days });
        }
        kept += u32::from(!reasons.is_empty());
        (reasons, removal.unwrap_or(Remove::NoRuleKeeps))
    });
    let reasons: Vec<_> = reasons.collect();

    let mut short = policy.minimum_good.saturating_sub(kept);
    let decide = |(mut reasons, removal): (Vec<Keep>, Remove)| {
        if reasons.is_empty() && short > 0 {
            short -= 1;
            reasons.push(Keep::MinimumGood { minimum: policy.minimum_good });
        }
        if reasons.is_empty() { Decision::Remove(removal) } else { Decision::Keep(reasons) }
    };
    reasons.into_iter().map(decide).collect()
}

/// Why the entry's age lets it go; None while it is too young for that.
fn removal(entry: &Entry, policy: &Policy, anchor: Option<Timestamp>) -> Option<Remove> {
    let Some(days) = policy.delete_after_days else { return Some(Remove::NoRuleKeeps) };
    beyond(entry, days, anchor?).map(|by| Remove::Old { days, by })
}

/// Whether the entry hasn't the age yet that no rule undercuts.
fn is_too_young(entry: &Entry, policy: &Policy, anchor: Option<Timestamp>) -> bool {
    let days = policy.never_younger_days;
    days > 0 && anchor.is_some_and(|anchor| beyond(entry, days, anchor).is_none())
}

/// By how much the entry is older than `days`, counted back from `anchor`; None when it isn't.
pub(super) fn beyond(entry: &Entry, days: u32, anchor: Timestamp) -> Option<SignedDuration> {
    let age = anchor.duration_since(entry.aged_from());
    let by = age.saturating_sub(SignedDuration::from_hours(i64::from(days) * 24));
    by.is_positive().then_some(by)
}

/// One calendar rule, fed from the newest backup back.
struct Rule {
    period: Period,
    of: u32,
    taken: u32,
    last: Option<(i16, i8, i8)>,
}

fn calendar(policy: &Policy) -> [Rule; 4] {
    let rule = |period, of| Rule { period, of, taken: 0, last: None };
    [
        rule(Period::Day, policy.daily),
        rule(Period::Week, policy.weekly),
        rule(Period::Month, policy.monthly),
        rule(Period::Year, policy.yearly),
    ]
}

impl Rule {
    fn keeps(&mut self, entry: &Entry) -> Option<Keep> {
        let stretch = self.period.of(TimeZone::UTC.to_datetime(entry.instant).date());
        if self.taken == self.of || self.last == Some(stretch) {
            return None;
        }
        self.last = Some(stretch);
        self.taken += 1;
        Some(Keep::Newest { period: self.period, nth: self.taken, of: self.of })
    }
}

impl Period {
    /// What two dates of the same period have in common.
    fn of(self, date: Date) -> (i16, i8, i8) {
        match self {
            Self::Day => (date.year(), date.month(), date.day()),
            Self::Week => (date.iso_week_date().year(), date.iso_week_date().week(), 0),
            Self::Month => (date.year(), date.month(), 0),
            Self::Year => (date.year(), 0, 0),
        }
    }
}
