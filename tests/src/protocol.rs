//! The commit protocol as a model that is walked whole: two agents, a verifier and a retention, or one agent and two retentions, and a crash
//! of each at any step, in every order. What retention plans and in which order it removes is the real code's; what a store answers is said in [`store`].
//!
//! The promise, at every instant: whatever has a manifest is whole; a verdict of intact is about bytes that were read; whoever exited
//! with 0 left a backup, or newer good ones; and where a good backup was there is one.

mod actors;
mod explore;
mod replay;
mod store;

use self::actors::{Actor, Agent, Retention, Verifier};
use self::explore::{Explored, explore};
use self::store::{Kind, Part, Rules, World};

/// Two good backups of earlier days, and agents that begin these backups.
fn world(kind: Kind, rules: Rules, agents: &[(usize, Part)]) -> World {
    let mut world = World::new(kind, rules);
    world.add_good(0);
    world.add_good(1);
    for (number, (backup, archive)) in agents.iter().enumerate() {
        world.actors.push(Actor::Agent(Agent::new(number, *backup, *archive)));
    }
    world
}

fn with(mut world: World, actors: Vec<Actor>) -> World {
    world.actors.extend(actors);
    world
}

fn retention() -> Actor {
    Actor::Retention(Retention::default())
}

fn verifier(times: u8) -> Actor {
    Actor::Verifier(Verifier::new(times))
}

#[track_caller]
fn holds(world: World) -> Explored {
    let explored = explore(world);
    if let Err(broken) = &explored.promise {
        panic!("{broken}");
    }
    explored
}

const KINDS: [Kind; 2] = [Kind::Bucket, Kind::Directory];

/// One second and one name, the same with two compressions, and one after the other.
const PAIRS: [[(usize, Part); 2]; 3] = [
    [(2, Part::Archive), (2, Part::Archive)],
    [(2, Part::Archive), (2, Part::Other)],
    [(2, Part::Archive), (3, Part::Archive)],
];

#[test]
fn two_agents_a_verifier_and_a_retention_keep_the_promise_in_every_order() {
    for kind in KINDS {
        for agents in PAIRS {
            let explored = holds(with(world(kind, Rules::default(), &agents), vec![verifier(1), retention()]));
            assert!(explored.states > 3_000 && explored.removed && explored.good_came, "{}", explored.states);
        }
    }
}

#[test]
fn two_retentions_at_once_remove_what_one_does() {
    for kind in KINDS {
        let actors = vec![verifier(1), retention(), retention()];
        let explored = holds(with(world(kind, Rules::default(), &PAIRS[0][..1]), actors));
        assert!(explored.removed && explored.good_came);
    }
}

#[test]
fn a_listing_of_several_pages_is_as_good_as_one() {
    for kind in KINDS {
        let rules = Rules { pages: true, ..Rules::default() };
        let explored = holds(with(world(kind, rules, &PAIRS[2]), vec![verifier(1), retention()]));
        assert!(explored.removed && explored.good_came);
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
        assert!(worlds.any(|world| explore(world).promise.is_err()), "{broken:?} in a {kind:?} breaks nothing");
    }
}
