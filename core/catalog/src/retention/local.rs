//! Local copies beside a bucket: the bucket is the repository, and the directory only keeps what is at hand.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::rules::beyond;
use super::{Decision, Keep, Plan, Policy, Row, by_age};
use crate::backup::Stem;
use crate::catalog::{Catalog, Entry, State};

/// Which local copies go: those older than `days`, counted back from the newest local backup, whose like is safe in the
/// bucket: same stem, same size, and good there; or what took its place there, once rows were erased from it. Where nothing has ever
/// judged the bucket, its manifest must do.
///
/// The newest local copy and the newest good one stay, and so do guests. An incomplete listing of the bucket only makes
/// more of them stay.
#[must_use]
pub fn local_plan<'a>(local: &'a Catalog, bucket: &Catalog, days: u32, now: Timestamp) -> Plan<'a> {
    let newest = [local.newest_uploaded(now), local.newest_good(now)];
    let anchor = newest.into_iter().flatten().find(|entry| !entry.is_in_the_future(now));
    let anchor = anchor.map(|entry| entry.instant.min(now));
    let safe = Safe::of(bucket);
    let rows = local.entries.iter().map(|entry| {
        let decision = match anchor {
            _ if entry.state == State::Guest => Decision::Keep(vec![Keep::Guest]),
            _ if entry.state == State::Alone => Decision::Keep(vec![Keep::UnknownOrigin]),
            _ if newest.into_iter().flatten().any(|newest| newest.id == entry.id) => {
                Decision::Keep(vec![Keep::NewestLocal])
            }
            _ if entry.is_in_the_future(now) => Decision::Keep(vec![Keep::InTheFuture]),
            None => Decision::Keep(vec![Keep::NothingGood]),
            Some(anchor) => safe.decide(entry, days, anchor),
        };
        Row { entry, decision }
    });
    Plan { rows: rows.collect(), refused: None }
}

/// What the bucket has, by stem and size of the archive.
struct Safe<'a> {
    states: HashMap<(&'a Stem, u64), State>,
    /// By what their names have in common: those that rows were erased from, whose local originals have another content.
    erased: HashSet<&'a str>,
    is_judged: bool,
}

impl<'a> Safe<'a> {
    fn of(bucket: &'a Catalog) -> Self {
        let mut states = HashMap::new();
        for entry in &bucket.entries {
            // The same label and size in two date folders: one good one is enough. `Good` is the least state.
            let state = states.entry((&entry.id.stem, entry.size())).or_insert(entry.state);
            *state = entry.state.min(*state);
        }
        let erased = bucket.entries.iter().filter(|entry| entry.state == State::Good);
        let erased =
            erased.filter(|entry| entry.id.stem.erased().is_some()).map(|entry| entry.id.stem.base()).collect();
        Self { states, erased, is_judged: bucket.entries.iter().any(|entry| entry.judged().is_some()) }
    }

    fn decide(&self, entry: &Entry, days: u32, anchor: Timestamp) -> Decision {
        if entry.state == State::Unfinished {
            return by_age(entry, Policy::default().unfinished_grace_days, anchor);
        }
        let state = self.states.get(&(&entry.id.stem, entry.size())).copied();
        let is_erased = self.erased.contains(entry.id.stem.base());
        let is_safe = is_erased || state == Some(State::Good) || (state == Some(State::Uploaded) && !self.is_judged);
        if beyond(entry, days, anchor).is_some() && !is_safe {
            return Decision::Keep(vec![Keep::NotInBucket { state }]);
        }
        by_age(entry, days, anchor)
    }
}
