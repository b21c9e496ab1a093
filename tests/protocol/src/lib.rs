//! The commit protocol as a model that is walked whole: two agents, a verifier and a retention, or one agent and two retentions, and a crash
//! of each at any step, in every order. What retention plans and in which order it removes is the real code's; what a store answers is said in `store.rs`.
//!
//! The promise, at every instant: whatever has a manifest is whole; a verdict of intact is about bytes that were read; whoever exited
//! with 0 left a backup, or newer good ones; and where a good backup was there is one.

pub mod actors;
pub mod explore;
pub mod scenes;
pub mod store;
#[cfg(test)]
mod tests;
pub mod world;

use self::explore::{Explored, explore};
use self::scenes::{PAIRS, retention, verifier, with, world};
use self::store::{Kind, Rules};

/// Walks all states of every scene, in a bucket and in a directory, and says what each came to.
#[must_use]
pub fn explore_all() -> Vec<Explored> {
    let mut all = Vec::new();
    for kind in [Kind::Bucket, Kind::Directory] {
        let rules = Rules::default();
        let pages = Rules { pages: true, ..rules };
        all.extend(PAIRS.map(|pair| explore(with(world(kind, rules, &pair), vec![verifier(1), retention()]))));
        all.push(explore(with(world(kind, rules, &PAIRS[0][..1]), vec![verifier(1), retention(), retention()])));
        // A listing of several pages, between which others act.
        all.push(explore(with(world(kind, pages, &PAIRS[2]), vec![verifier(1), retention()])));
    }
    all
}
