//! Worlds to begin from.

use super::actors::{Actor, Agent, Retention, Verifier};
use super::store::{Kind, Part, Rules, Store};
use super::world::World;

/// Two good backups of earlier days, and agents that begin these backups.
pub(super) fn world(kind: Kind, rules: Rules, agents: &[(usize, Part)]) -> World {
    let mut store = Store::new(kind, rules);
    store.add_good(0);
    store.add_good(1);
    let agents = agents.iter().enumerate();
    let actors = agents.map(|(number, (backup, archive))| Actor::Agent(Agent::new(number, *backup, *archive)));
    World { store, actors: actors.collect() }
}

pub(super) fn with(mut world: World, actors: Vec<Actor>) -> World {
    world.actors.extend(actors);
    world
}

pub(super) fn retention() -> Actor {
    Actor::Retention(Retention::default())
}

pub(super) fn verifier(times: u8) -> Actor {
    Actor::Verifier(Verifier::new(times))
}

/// One second and one name, the same with two compressions, and one after the other.
pub(super) const PAIRS: [[(usize, Part); 2]; 3] = [
    [(2, Part::Archive), (2, Part::Archive)],
    [(2, Part::Archive), (2, Part::Other)],
    [(2, Part::Archive), (3, Part::Archive)],
];
