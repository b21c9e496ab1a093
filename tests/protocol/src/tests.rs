use crate::explore::explore;
use crate::explore_all;
use crate::scenes::{PAIRS, retention, verifier, with, world};
use crate::store::{Kind, Rules};

#[test]
fn the_promise_is_kept_in_every_order_of_steps() {
    let all = explore_all();
    println!("{} scenes, {} states", all.len(), all.iter().map(|explored| explored.states).sum::<usize>());
    for explored in all {
        assert!(explored.broken.is_none(), "{}", explored.broken.unwrap_or_default());
        assert!(explored.states > 1_000 && explored.removed && explored.good_came, "{}", explored.states);
    }
}

/// Each rule of the protocol is needed: without it the model finds an order of steps that breaks the promise.
#[test]
fn no_rule_can_be_left_out() {
    let rules = Rules::default();
    for (broken, kind) in [
        (Rules { archive_first: false, ..rules }, Kind::Bucket),
        (Rules { never_overwrites: false, ..rules }, Kind::Bucket),
        (Rules { never_overwrites: false, ..rules }, Kind::Directory),
        (Rules { manifest_goes_first: false, ..rules }, Kind::Bucket),
    ] {
        let mut worlds = PAIRS.iter().map(|pair| with(world(kind, broken, pair), vec![verifier(1), retention()]));
        assert!(worlds.any(|world| explore(world).broken.is_some()), "{broken:?} in a {kind:?} breaks nothing");
    }
}
