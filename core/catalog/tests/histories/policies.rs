//! A richer policy removes no more.

use catalog::Policy;
use catalog::plan;
use catalog::retention::Limit;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::generate::History;
use super::planned::{fills_the_minimum, removed, waits_for_a_shrink};
use super::store::ensure;
use super::tally::Tally;

/// Every number that it has may be higher. A first rule isn't added to a policy that has none, which keeps everything; nor an age, which
/// is also that of what no rule counts.
fn richer(policy: &Policy, random: &mut StdRng) -> Policy {
    let rules = [policy.keep_last, policy.daily, policy.weekly, policy.monthly, policy.yearly];
    let has_rules = rules != [0; 5] || policy.delete_after_days.is_some();
    let mut more =
        |number: u32, may: bool| number + if may && random.random_bool(0.4) { random.random_range(1..6) } else { 0 };
    Policy {
        keep_last: more(policy.keep_last, has_rules),
        daily: more(policy.daily, has_rules),
        weekly: more(policy.weekly, has_rules),
        monthly: more(policy.monthly, has_rules),
        yearly: more(policy.yearly, has_rules),
        delete_after_days: policy.delete_after_days.map(|days| more(days, true)),
        minimum_good: more(policy.minimum_good, true),
        never_younger_days: more(policy.never_younger_days, true),
        unfinished_grace_days: more(policy.unfinished_grace_days, true),
    }
}

/// What goes by the richer one goes by the other; but what only the minimum kept may go where a rule keeps another in its place. Never do
/// fewer good ones stay, where none stays beside the minimum: because it lies in the future, or waits for a shrink.
pub(crate) fn a_richer_policy_removes_no_more(
    history: &History,
    random: &mut StdRng,
    tally: &mut Tally,
) -> Result<(), String> {
    let catalog = &history.catalog;
    let richer = richer(&history.policy, random);
    tally.richer += 1;
    let poor = plan(catalog, &history.policy, history.now, Limit::Lifted);
    let rich = plan(catalog, &richer, history.now, Limit::Lifted);
    let (by_poor, by_rich, fill) = (removed(&poor), removed(&rich), fills_the_minimum(&poor));
    let more: Vec<_> = by_rich.difference(&by_poor).filter(|id| !fill.contains(**id)).collect();
    ensure(more.is_empty(), || format!("{more:?} go by {richer:?} and not by {:?}", history.policy))?;
    tally.fill_changed += u64::from(by_rich.difference(&by_poor).count() > 0);
    let good = |plan: &catalog::Plan<'_>| plan.removals().filter(|row| row.entry.counts_as_good()).count();
    let beside_the_minimum = catalog.good_ahead(history.now).next().is_some() || !waits_for_a_shrink(&poor).is_empty();
    ensure(beside_the_minimum || good(&rich) <= good(&poor), || {
        format!("fewer good ones stay by {richer:?} than by {:?}", history.policy)
    })
}
