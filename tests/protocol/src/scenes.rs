//! Worlds to begin from.

use crate::actors::{Actor, Agent, Retention, Verifier};
use crate::store::{Kind, Part, Rules, Store};
use crate::world::World;

/// Two good backups of earlier days, and agents that begin these backups.
pub fn world(kind: Kind, rules: Rules, agents: &[(usize, Part)]) -> World {
    let mut store = Store::new(kind, rules);
    store.add_good(0);
    store.add_good(1);
    let agents = agents.iter().enumerate();
    let actors = agents.map(|(number, (backup, archive))| Actor::Agent(Agent::new(number, *backup, *archive)));
    World { store, actors: actors.collect() }
}

/// The same, with further actors.
pub fn with(mut world: World, actors: Vec<Actor>) -> World {
    world.actors.extend(actors);
    world
}

/// A retention that begins.
pub fn retention() -> Actor {
    Actor::Retention(Retention::default())
}

/// A verifier of so many events.
pub fn verifier(times: u8) -> Actor {
    Actor::Verifier(Verifier::new(times))
}

/// One second and one name, the same with two compressions, and one after the other.
pub const PAIRS: [[(usize, Part); 2]; 3] = [
    [(2, Part::Archive), (2, Part::Archive)],
    [(2, Part::Archive), (2, Part::Other)],
    [(2, Part::Archive), (3, Part::Archive)],
];
