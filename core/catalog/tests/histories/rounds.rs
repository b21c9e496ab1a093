//! Removals that are refused in part, killed and done again.

use std::collections::BTreeSet;

use catalog::retention::Limit;
use catalog::{BackupId, plan};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::act::{Act, Trouble, lost};
use super::generate::History;
use super::planned::{newest_stays, removed, waits_for_a_shrink};
use super::store::{Store, ensure};
use super::tally::Tally;

/// A run without trouble removes what was planned and all of it, and a second one plans nothing but what has waited for a shrink of a
/// backup that the first one removed: whose record was put long after it, when others had come that it says nothing of. However often runs broke off before it,
/// with the same clock and policy, it ends at the same backups, once what has lost its verdict was read again; but what was to go with the
/// shrunk backup that it had waited for, and didn't, may wait for the next one, and of two labels of one instant the one that was read again
/// is the newer.
pub(crate) fn what_breaks_off_goes_on(history: &History, random: &mut StdRng, tally: &mut Tally) -> Result<(), String> {
    let History { store, catalog, policy, now, .. } = history;
    let run = |store: &mut Store, trouble: Trouble, random: &mut StdRng, tally: &mut Tally| {
        let catalog = store.honest();
        let plan = plan(&catalog, policy, *now, Limit::Lifted);
        let planned: Vec<BackupId> = plan.removals().map(|row| row.entry.id.clone()).collect();
        Act::begin(store, &plan, trouble).carry_through(store, random, tally).map(|removal| (planned, removal))
    };
    let mut smooth = store.clone();
    let (planned, removal) = run(&mut smooth, Trouble::default(), random, tally)?;
    smooth.left_alone(store)?;
    let lost_now = lost(store, &smooth);
    ensure(lost_now.keys().all(|id| planned.contains(id)), || "more went than was planned".to_owned())?;
    if removal.is_complete() {
        let left = smooth.honest();
        let first = plan(catalog, policy, *now, Limit::Lifted);
        let again = plan(&left, policy, *now, Limit::Lifted);
        let waited = waits_for_a_shrink(&first);
        let more: Vec<_> = removed(&again).into_iter().filter(|id| !waited.contains(*id)).collect();
        ensure(more.is_empty(), || format!("a second run removes {more:?}"))?;
        let all_gone = planned.iter().all(|id| !left.entries.iter().any(|entry| entry.id == *id));
        ensure(all_gone, || "a part of what was to go is left".to_owned())?;
    }

    let mut rough = store.clone();
    for _ in 0..random.random_range(1..4) {
        let killed_after = random.random_bool(0.5).then(|| random.random_range(0..60));
        let trouble = Trouble { refuses: random.random_range(0.0..0.6), killed_after };
        run(&mut rough, trouble, random, tally)?;
        rough.left_alone(store)?;
        ensure(newest_stays(store, &rough, *now), || "the newest good one goes".to_owned())?;
        if random.random_bool(0.5) {
            rough.verify();
        }
    }
    for store in [&mut smooth, &mut rough] {
        for _ in 0..2 {
            store.verify();
            run(store, Trouble::default(), random, tally)?;
        }
    }
    let backups = |store: &Store| -> BTreeSet<BackupId> {
        store.made.iter().filter(|made| store.has_backup(&made.id)).map(|made| made.id.clone()).collect()
    };
    let (ends, left) = (backups(&smooth), rough.honest());
    let (waits, found) = (plan(&left, policy, *now, Limit::Lifted), backups(&rough));
    let waits = waits_for_a_shrink(&waits);
    let instant = |id: &BackupId| store.made.iter().find(|made| made.id == *id).map(|made| made.instant());
    let of_one_instant = |id: &BackupId, others: &BTreeSet<BackupId>, not_in: &BTreeSet<BackupId>| {
        others.difference(not_in).any(|other| instant(other) == instant(id))
    };
    let lacks: Vec<_> = ends.difference(&found).filter(|id| !of_one_instant(id, &found, &ends)).collect();
    let more = found.difference(&ends).filter(|id| !waits.contains(*id) && !of_one_instant(id, &ends, &found));
    let more: Vec<_> = more.collect();
    ensure(lacks.is_empty() && more.is_empty(), || {
        format!("runs that broke off end elsewhere: without {lacks:?}, with {more:?}")
    })
}
