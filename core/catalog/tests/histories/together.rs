//! Two retentions at once, which have listed before either has removed anything.

use catalog::plan;
use catalog::retention::Limit;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::act::{Act, Trouble, lost};
use super::generate::{History, clock, policy};
use super::planned::{newest_good, newest_stays, removed};
use super::store::{Made, ensure};
use super::tally::Tally;

/// They remove what both have planned and no more, the newest good backup of each is there, and with one policy and one clock as many as the
/// minimum. With two policies, each has its own minimum, and what one keeps for it the other may remove.
pub(crate) fn two_at_once(history: &History, random: &mut StdRng, tally: &mut Tally) -> Result<(), String> {
    let History { store, catalog, now, newest, .. } = history;
    let is_same = random.random_bool(0.5);
    let others = if is_same { (history.policy.clone(), *now) } else { (policy(random), clock(store, *newest, random)) };
    tally.pairs += 1;
    let mut after = store.clone();
    let plans =
        [(&history.policy, *now), (&others.0, others.1)].map(|(policy, now)| plan(catalog, policy, now, Limit::Lifted));
    let trouble = Trouble { refuses: if random.random_bool(0.3) { 0.2 } else { 0.0 }, killed_after: None };
    let mut acts = plans.each_ref().map(|plan| Act::begin(store, plan, trouble));
    let mut going = [true, true];
    while going != [false, false] {
        let which = random.random_range(0..2);
        if going[which] {
            going[which] = acts[which].go_on(&mut after, random, tally)?;
        }
    }
    after.left_alone(store)?;
    let planned = plans.each_ref().map(removed);
    let mut gone = lost(store, &after).into_keys();
    ensure(gone.all(|id| planned.iter().any(|plan| plan.contains(id))), || {
        "something goes that neither has planned".to_owned()
    })?;
    for now in [*now, others.1] {
        let is_planned = |newest: &Made| planned.iter().any(|plan| plan.contains(&newest.id));
        let stays = newest_stays(store, &after, now) || newest_good(store, now).is_some_and(is_planned);
        ensure(stays, || format!("the newest good one at {now} goes"))?;
    }
    let newest = store.good().max_by_key(|made| (made.instant(), &made.id));
    ensure(newest.is_none() || after.good().count() > 0, || "no good one is left".to_owned())?;
    let minimum = (history.policy.minimum_good as usize).min(store.good().count());
    ensure(!is_same || after.good().count() >= minimum, || format!("fewer than {minimum} good ones stay"))
}
