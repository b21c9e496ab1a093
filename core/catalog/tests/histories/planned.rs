//! What must stay, by what was truly made.

use std::collections::{BTreeSet, HashMap, HashSet};

use catalog::retention::{Decision, Keep, Limit, Refusal};
use catalog::{BackupId, Plan, Policy, plan};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::generate::{DAY, History};
use super::store::{Kind, Made, Store, ensure};
use super::tally::Tally;

/// Whether something of this time is more than so many days older than that one.
fn is_older(time: Timestamp, days: u32, than: Timestamp) -> bool {
    than.duration_since(time) > jiff::SignedDuration::from_secs(i64::from(days) * DAY)
}

/// What a plan removes.
pub(crate) fn removed<'a>(plan: &'a Plan<'_>) -> BTreeSet<&'a BackupId> {
    plan.removals().map(|row| &row.entry.id).collect()
}

/// What stays for this one reason.
fn only<'a>(plan: &'a Plan<'_>, is_it: fn(&Keep) -> bool) -> HashSet<&'a BackupId> {
    let decided =
        |decision: &Decision| matches!(decision, Decision::Keep(why) if matches!(&why[..], [one] if is_it(one)));
    plan.rows.iter().filter(|row| decided(&row.decision)).map(|row| &row.entry.id).collect()
}

/// What stays for the minimum's sake alone.
pub(crate) fn fills_the_minimum<'a>(plan: &'a Plan<'_>) -> HashSet<&'a BackupId> {
    only(plan, |keep| matches!(keep, Keep::MinimumGood { .. }))
}

/// What stays for the sake of a shrink alone.
pub(crate) fn waits_for_a_shrink<'a>(plan: &'a Plan<'_>) -> HashSet<&'a BackupId> {
    only(plan, |keep| matches!(keep, Keep::BeforeShrink { .. }))
}

pub(crate) fn what_must_stay_stays(history: &History, tally: &mut Tally) -> Result<(), String> {
    let History { store, catalog, policy, now, .. } = history;
    tally.backups += store.made.len() as u64;
    for limit in [Limit::Lifted, Limit::Half] {
        let plan = plan(catalog, policy, *now, limit);
        let gone = removed(&plan);
        tally.plans += 1;
        tally.removals += gone.len() as u64;
        tally.refused += u64::from(plan.refused.is_some());
        tally.held += waits_for_a_shrink(&plan).len() as u64;
        tally.of_the_future += u64::from(store.good().any(|made| made.is_of_the_future(*now)));

        let by_id: HashMap<&BackupId, &Made> = store.made.iter().map(|made| (&made.id, made)).collect();
        let gone: Vec<&Made> = gone.iter().filter_map(|id| by_id.get(id).copied()).collect();
        ensure(gone.len() == removed(&plan).len(), || "something goes that was never made".to_owned())?;
        what_goes_is_old(store, &gone, policy, *now)?;
        enough_stays(store, &gone, policy, *now)?;
        nothing_held_goes(store, &gone, *now)?;
        let (good, good_gone) = (store.good().count(), gone.iter().filter(|made| made.counts()).count());
        ensure(limit == Limit::Lifted || good_gone * 2 <= good, || format!("{good_gone} of {good} go without force"))?;
        let says_so = matches!(plan.refused, Some(Refusal::MoreThanHalf { removed, good: of }) if removed * 2 > of);
        ensure(plan.refused.is_none() || (says_so && gone.is_empty()), || format!("{:?}", plan.refused))?;
    }
    Ok(())
}

/// The newest good backup that isn't of the future: what ages are counted back from.
pub(crate) fn newest_good(store: &Store, now: Timestamp) -> Option<&Made> {
    store.good().filter(|made| !made.is_of_the_future(now)).max_by_key(|made| (made.instant(), &made.id))
}

/// Whether the newest good one is still there, or another of the same instant: of these any may be taken for it.
pub(crate) fn newest_stays(before: &Store, after: &Store, now: Timestamp) -> bool {
    newest_good(before, now).is_none_or(|newest| after.good().any(|made| made.instant() == newest.instant()))
}

fn what_goes_is_old(store: &Store, gone: &[&Made], policy: &Policy, now: Timestamp) -> Result<(), String> {
    let Some(newest) = newest_good(store, now) else {
        return ensure(gone.is_empty(), || format!("{} goes, and nothing is good", gone[0].id));
    };
    let anchor = newest.instant().min(now);
    for made in gone {
        let for_others = policy.delete_after_days.unwrap_or(90).max(policy.never_younger_days);
        let (days, from) = match made.kind {
            Kind::Guest | Kind::Unknown => return Err(format!("{} is none of ours", made.id)),
            Kind::Unfinished => (policy.unfinished_grace_days, now),
            _ if made.counts() => (policy.delete_after_days.unwrap_or(0).max(policy.never_younger_days), anchor),
            _ => (for_others, anchor),
        };
        // Without any age, a rule may let one go that was made in the newest one's second.
        let has_age = days > 0 || !made.counts() || policy.delete_after_days.is_some();
        ensure(!has_age || is_older(made.aged_from(), days, from), || {
            format!("{} goes and isn't {days} days old", made.id)
        })?;
        ensure(!made.is_of_the_future(now), || format!("{} goes and lies in the future", made.id))?;
    }
    Ok(())
}

fn enough_stays(store: &Store, gone: &[&Made], policy: &Policy, now: Timestamp) -> Result<(), String> {
    let is_gone = |made: &Made| gone.iter().any(|gone| gone.id == made.id);
    if let Some(newest) = newest_good(store, now) {
        ensure(!store.good().all(|made| made.instant() < newest.instant() || is_gone(made)), || {
            format!("{} goes", newest.id)
        })?;
    }
    let (good, left) = (store.good().count(), store.good().filter(|made| !is_gone(made)).count());
    let minimum = (policy.minimum_good as usize).max(1).min(good);
    ensure(left >= minimum, || format!("{left} of {good} good ones stay, and {minimum} should"))?;
    let unverified = gone.iter().find(|made| made.kind == Kind::Uploaded && !made.id.stem.is_safety());
    let short = store.good().filter(|made| !is_gone(made) && !made.is_of_the_future(now)).count()
        < policy.minimum_good as usize;
    ensure(!short || unverified.is_none(), || "an unverified one goes while good ones are short".to_owned())?;

    let mut past: Vec<&Made> = store.good().filter(|made| !made.is_of_the_future(now)).collect();
    past.sort_by_key(|made| std::cmp::Reverse(made.instant()));
    // Of equal instants the rule may take either.
    let last = past.get((policy.keep_last as usize).saturating_sub(1)).filter(|_| policy.keep_last > 0);
    let among_last =
        past.iter().filter(|made| last.is_none_or(|last| made.instant() > last.instant()) && policy.keep_last > 0);
    ensure(among_last.copied().all(|made| !is_gone(made)), || "one of the last goes".to_owned())?;
    let week = |date: Date| (date.iso_week_date().year(), i16::from(date.iso_week_date().week()));
    for (name, of, period) in [
        ("daily", policy.daily, &(|date: Date| (date.year(), date.day_of_year())) as &dyn Fn(Date) -> (i16, i16)),
        ("weekly", policy.weekly, &week),
        ("monthly", policy.monthly, &|date| (date.year(), i16::from(date.month()))),
        ("yearly", policy.yearly, &|date| (date.year(), 0)),
    ] {
        let period = |made: &Made| period(TimeZone::UTC.to_datetime(made.instant()).date());
        let all: BTreeSet<(i16, i16)> = past.iter().map(|made| period(made)).collect();
        let kept: BTreeSet<(i16, i16)> = past.iter().filter(|made| !is_gone(made)).map(|made| period(made)).collect();
        let mut newest = all.iter().rev().take(of as usize);
        ensure(newest.all(|period| kept.contains(period)), || format!("{name}: one that has a backup keeps none"))?;
    }
    Ok(())
}

/// What is older than the first shrink after it that nobody has accepted stays for thirty days.
fn nothing_held_goes(store: &Store, gone: &[&Made], now: Timestamp) -> Result<(), String> {
    let Some(anchor) = newest_good(store, now).map(|newest| newest.instant().min(now)) else { return Ok(()) };
    let shrinks = || store.made.iter().filter_map(|made| made.shrunk);
    for made in gone.iter().filter(|made| made.is_backup()) {
        let first = shrinks().filter(|since| made.instant() <= *since).min();
        let is_over = |first: Timestamp| anchor.duration_since(first).as_secs() >= 30 * DAY;
        ensure(first.is_none_or(is_over), || {
            format!(
                "{} goes, and waits for a shrink: {made:?} {first:?} {anchor} {:?}",
                made.id,
                store.made.iter().filter(|made| made.shrunk.is_some()).collect::<Vec<_>>()
            )
        })?;
    }
    Ok(())
}
