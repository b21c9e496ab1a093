//! A wrong clock alone removes nothing: what goes by it goes by a right one as well.

use std::collections::{BTreeSet, HashMap};

use catalog::retention::Limit;
use catalog::{BackupId, plan};
use rand::rngs::StdRng;

use super::generate::{History, clock};
use super::planned::removed;
use super::store::{Kind, ensure, later};
use super::tally::Tally;

/// How many wrong clocks a history sees.
const CLOCKS: usize = 3;

/// By a right clock nothing lies in the future. One that is further ahead decides the same about every backup, and one that is behind lets
/// go a part of it. What never was a backup goes by the clock, and by no other's time.
pub(crate) fn a_wrong_clock_removes_nothing(
    history: &History,
    random: &mut StdRng,
    tally: &mut Tally,
) -> Result<(), String> {
    let History { store, catalog, policy, newest, .. } = history;
    let claims = catalog.entries.iter().map(|entry| entry.latest_claim());
    let right = claims.chain([*newest]).max().unwrap_or(*newest);
    let by_right = plan(catalog, policy, right, Limit::Lifted);
    let unfinished: BTreeSet<&BackupId> =
        store.made.iter().filter(|made| made.kind == Kind::Unfinished).map(|made| &made.id).collect();
    let may_go: BTreeSet<&BackupId> = removed(&by_right).difference(&unfinished).copied().collect();
    for number in 0..CLOCKS {
        let wrong = if number == 0 { later(right, 1) } else { clock(store, *newest, random) };
        tally.clocks += 1;
        let by_wrong = plan(catalog, policy, wrong, Limit::Lifted);
        let goes: BTreeSet<&BackupId> = removed(&by_wrong).difference(&unfinished).copied().collect();
        let more: Vec<_> = goes.difference(&may_go).collect();
        ensure(more.is_empty(), || format!("at {wrong} {more:?} go, and by a right clock they don't ({right})"))?;
        if wrong >= right {
            let decisions: HashMap<_, _> = by_wrong.rows.iter().map(|row| (&row.entry.id, &row.decision)).collect();
            let mut rows = by_right.rows.iter().filter(|row| !unfinished.contains(&row.entry.id));
            let same = rows.all(|row| decisions[&row.entry.id] == &row.decision);
            ensure(same, || format!("a clock that is ahead, {wrong}, decides otherwise than {right}"))?;
        }
        tally.saved_by_clock += u64::from(goes.len() < may_go.len());
    }
    Ok(())
}
