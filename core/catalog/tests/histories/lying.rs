//! Listings that come in another order, say things twice, or leave something out without saying so.

use std::collections::HashSet;

use catalog::retention::Limit;
use catalog::{Plan, plan};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use super::act::{Act, Trouble, lost};
use super::generate::History;
use super::planned::{fills_the_minimum, newest_stays, removed, waits_for_a_shrink};
use super::store::{Store, ensure};
use super::tally::Tally;

pub(crate) fn order_and_repetition_mean_nothing(history: &History, random: &mut StdRng) -> Result<(), String> {
    let History { store, catalog, policy, now, .. } = history;
    let mut listed = store.listed();
    for _ in 0..random.random_range(0..5) {
        listed.push(listed[random.random_range(0..listed.len())].clone());
    }
    listed.shuffle(random);
    let shuffled = store.catalog(listed);
    let (straight, shuffled) = (plan(catalog, policy, *now, Limit::Half), plan(&shuffled, policy, *now, Limit::Half));
    let decided =
        |plan: &Plan<'_>| plan.rows.iter().map(|row| (row.entry.id.clone(), row.decision.clone())).collect::<Vec<_>>();
    ensure(decided(&straight) == decided(&shuffled) && straight.refused == shuffled.refused, || {
        "rows in another order, or twice, are planned otherwise".to_owned()
    })
}

/// What a listing leaves out.
enum LeftOut {
    /// Its end, or all that belongs to some backups.
    Backups(HashSet<String>),
    /// A page in the middle, or any rows: so a backup may be listed in part, and one that is damaged without its verdict.
    Rows(HashSet<String>),
}

fn left_out(store: &Store, random: &mut StdRng) -> LeftOut {
    let keys: Vec<&String> = store.objects.keys().collect();
    let (from, to) = (random.random_range(0..keys.len()), random.random_range(0..=keys.len()));
    let chance = random.random_range(0.01..0.3);
    let these = |is_out: &mut dyn FnMut(usize, &str) -> bool| {
        keys.iter().enumerate().filter(|(place, key)| is_out(*place, key)).map(|(_, key)| (*key).clone()).collect()
    };
    match random.random_range(0..4) {
        0 => LeftOut::Backups(these(&mut |place, _| place >= from)),
        1 => {
            let without = store
                .made
                .iter()
                .filter(|_| random.random_bool(chance))
                .map(|made| store.layout.common_prefix(&made.id));
            let without: Vec<String> = without.collect();
            LeftOut::Backups(these(&mut |_, key| without.iter().any(|prefix| key.starts_with(prefix.as_str()))))
        }
        2 => LeftOut::Rows(these(&mut |place, _| (from.min(to)..from.max(to)).contains(&place))),
        _ => LeftOut::Rows(these(&mut |_, _| random.random_bool(chance))),
    }
}

/// Only a store that says a wrong end can do this: a listing that breaks off is an error, and plans nothing.
pub(crate) fn what_a_listing_leaves_out_stays(
    history: &History,
    random: &mut StdRng,
    tally: &mut Tally,
) -> Result<(), String> {
    let History { store, policy, now, .. } = history;
    let left_out = left_out(store, random);
    let (LeftOut::Backups(out) | LeftOut::Rows(out)) = &left_out;
    tally.lying += 1;
    let mut listed = store.listed();
    listed.retain(|object| !out.contains(&object.key));
    let (catalog, mut after) = (store.catalog(listed), store.clone());
    let partial = plan(&catalog, policy, *now, Limit::Lifted);
    Act::begin(store, &partial, Trouble::default()).carry_through(&mut after, random, tally)?;

    after.left_alone(store)?;
    let stays = out.iter().find(|key| !after.has(key));
    ensure(stays.is_none(), || format!("{stays:?} goes, and was never listed"))?;
    for id in lost(store, &after).into_keys() {
        let prefix = store.layout.common_prefix(id);
        let part = out.iter().find(|key| key.starts_with(&prefix));
        ensure(part.is_none(), || format!("{id} goes, of which only a part was listed: {part:?} wasn't"))?;
    }
    if let LeftOut::Backups(_) = left_out { nothing_goes_for_it(history, &partial, &after, tally) } else { Ok(()) }
}

/// Where whole backups are left out, none goes that the whole listing keeps, but for those that only the minimum, or a shrink that isn't
/// listed, keeps; the newest good one and as many as the minimum stay.
fn nothing_goes_for_it(history: &History, partial: &Plan<'_>, after: &Store, tally: &mut Tally) -> Result<(), String> {
    let History { store, catalog, policy, now, .. } = history;
    let whole = plan(catalog, policy, *now, Limit::Lifted);
    let (may_go, fill, waits) = (removed(&whole), fills_the_minimum(&whole), waits_for_a_shrink(&whole));
    for id in lost(store, after).into_keys() {
        tally.refilled += u64::from(!may_go.contains(id));
        let may_go = may_go.contains(id) || fill.contains(id) || waits.contains(id);
        ensure(may_go, || {
            let why = |plan: &Plan<'_>| plan.rows.iter().find(|row| row.entry.id == *id).map(|row| row.reason());
            format!(
                "{id} goes because of what was left out ({:?}), and is kept otherwise: {:?}",
                why(partial),
                why(&whole)
            )
        })?;
    }
    ensure(newest_stays(store, after, *now), || "the newest good one goes".to_owned())?;
    let minimum = (policy.minimum_good as usize).min(store.good().count());
    ensure(after.good().count() >= minimum, || format!("fewer than {minimum} good ones stay"))
}
