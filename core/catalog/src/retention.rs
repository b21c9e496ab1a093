//! What stays and what goes, decided purely and with the reason for each; the callers act.
//!
//! A good backup stays if any rule keeps it: the last N, the newest of a day, week, month or year, or being younger than
//! `delete_after_days`. Age is counted back from the newest good backup, never from the clock, so a clock that jumps
//! ahead removes nothing and backups that stop coming stop going; and a backup is old only when both its times say so.
//! What lies in the future stays, and nothing goes for its sake: the others are judged as if it weren't there.
//! Nothing good goes before it has the age that the policy leaves alone, however many newer ones there are.
//! Without a good backup nothing goes at all. What isn't good never counts for a rule and goes by age alone, an unfinished
//! archive by the clock's, guests never; but while fewer good ones stay than there should be, what isn't verified yet stays
//! too, for it may be good. What is older than a backup that has lost rows stays for a while as well.

mod day;
mod holds;
mod local;
mod next;
mod policy;
mod reason;
mod rules;
#[cfg(test)]
mod tests;
mod unaccepted;
mod vanished;

use jiff::Timestamp;

use self::holds::Holds;
use crate::catalog::{Catalog, Entry, State};

pub use day::Removals;
pub use local::local_plan;
pub use next::goes_next;
pub use policy::{Age, Policy};
pub use reason::{Decision, Keep, Period, Refusal, Remove};
pub use unaccepted::{Unaccepted, unaccepted};
pub use vanished::{There, Vanished};

/// What retention would do with one catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// A decision for every entry, newest first.
    pub rows: Vec<Row<'a>>,
    /// Why nothing at all may be removed, whatever the rows say.
    pub refused: Option<Refusal>,
}

/// How many of the good backups one plan may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// At most half of them: a plan that goes further is refused, because that is more often a mistake than a wish.
    Half,
    /// As many as the policy says: a person has read the plan.
    Lifted,
}

/// What happens to one entry, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The backup, or what looks like one.
    pub entry: &'a Entry,
    /// Whether it stays or goes, with the reason.
    pub decision: Decision,
}

/// The plan for `catalog`, which comes from a whole listing, under `policy`.
///
/// `now` matters to good backups only when it lies before one of them, and then it saves them: none counts as old for lying far
/// behind a time that hasn't come. Unfinished archives go by it.
#[must_use]
pub fn plan<'a>(catalog: &'a Catalog, policy: &Policy, now: Timestamp, limit: Limit) -> Plan<'a> {
    let newest = catalog.newest_good(now).filter(|newest| !newest.is_in_the_future(now));
    let anchor = newest.map(|newest| newest.instant.min(now));
    let good = rules::for_good(catalog, policy, anchor, now);
    let stays =
        |(entry, decision): &(&Entry, &Decision)| matches!(decision, Decision::Keep(_)) && !entry.is_in_the_future(now);
    let is_short = catalog.good().zip(&good).filter(stays).count() < policy.minimum_good as usize;
    let mut good = good.into_iter();
    let rows = catalog.entries.iter().map(|entry| {
        let decision = if entry.counts_as_good() { good.next() } else { None };
        let decision = decision.unwrap_or_else(|| match for_others(entry, policy, anchor, now) {
            Decision::Keep(_) if entry.is_in_the_future(now) => Decision::Keep(vec![Keep::InTheFuture]),
            Decision::Remove(_) if is_short && may_be_good(entry) => {
                Decision::Keep(vec![Keep::MayBeGood { minimum: policy.minimum_good }])
            }
            decision => decision,
        });
        Row { entry, decision }
    });
    let holds = Holds::of(catalog);
    let held = |row: &Row<'_>| anchor.and_then(|anchor| holds.on(row.entry, anchor)).filter(|_| row.is_removed());
    let rows = rows.map(|row| match held(&row) {
        Some(reason) => Row { decision: Decision::Keep(vec![reason]), ..row },
        None => row,
    });
    let mut plan = Plan { rows: rows.collect(), refused: None };
    plan.refused = plan.too_many(now).filter(|_| limit == Limit::Half);
    plan
}

/// Nobody has read it yet.
fn may_be_good(entry: &Entry) -> bool {
    entry.state == State::Uploaded && !entry.is_safety()
}

/// What becomes of an entry that isn't good, or doesn't count: age alone decides, and ownership.
fn for_others(entry: &Entry, policy: &Policy, anchor: Option<Timestamp>, now: Timestamp) -> Decision {
    match (entry.state, anchor) {
        (State::Guest, _) => Decision::Keep(vec![Keep::Guest]),
        (State::Alone, _) => Decision::Keep(vec![Keep::UnknownOrigin]),
        (_, None) => Decision::Keep(vec![Keep::NothingGood]),
        // What never was a backup goes by the clock, which goes on where backups don't: it may be what fills the disk.
        (State::Unfinished, Some(_)) => by_age(entry, policy.unfinished_grace_days, now),
        (_, Some(anchor)) => by_age(entry, policy.days_for_others(), anchor),
    }
}

fn by_age(entry: &Entry, days: u32, anchor: Timestamp) -> Decision {
    match rules::beyond(entry, days, anchor) {
        Some(by) => Decision::Remove(Remove::Old { days, by }),
        None => Decision::Keep(vec![Keep::Young { days }]),
    }
}

impl<'a> Plan<'a> {
    /// What is to be removed: nothing when the plan is refused.
    pub fn removals(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(|row| self.refused.is_none() && row.is_removed())
    }

    fn too_many(&self, now: Timestamp) -> Option<Refusal> {
        let good = self.rows.iter().filter(|row| row.entry.counts_as_good() && !row.entry.is_in_the_future(now));
        let (removed, good) =
            good.fold((0, 0), |(removed, good), row| (removed + usize::from(row.is_removed()), good + 1));
        (removed * 2 > good).then_some(Refusal::MoreThanHalf { removed, good })
    }
}

impl Row<'_> {
    /// Whether it would go, were the plan not refused.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        matches!(self.decision, Decision::Remove(_))
    }

    /// The reason in words: `newest good backup, daily 1 of 7`, `damaged: older than 90 days by 4 days`.
    #[must_use]
    pub fn reason(&self) -> String {
        if self.entry.is_safety() && self.entry.is_backup() {
            format!("safety backup: {}", self.decision)
        } else if matches!(self.entry.state, State::Good | State::Guest | State::Alone) {
            self.decision.to_string()
        } else {
            format!("{}: {}", self.entry.state, self.decision)
        }
    }
}
