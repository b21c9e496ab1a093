//! Every state that can be reached, and the promise in each.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use crate::actors::{Actor, Agent, AgentAt};
use crate::store::{BACKUPS, Objects, Part, catalog, id, now};
use crate::world::World;

/// What an exploration found.
#[derive(Debug)]
pub struct Explored {
    /// How many it walked through.
    pub states: usize,
    /// Retention has removed something in some state.
    pub removed: bool,
    /// A new backup became good in some state.
    pub good_came: bool,
    /// Which promise isn't kept, and the way there; `None`: all are, in every state.
    pub broken: Option<String>,
}

/// A promise that isn't kept, and the way there.
struct Broken {
    what: String,
    way: Vec<Rc<World>>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        self.way.iter().try_for_each(|world| {
            writeln!(f, "  {:?}\n    {:?}", world.actors, world.store.objects.keys().collect::<Vec<_>>())
        })
    }
}

/// Most states of one model; more of them would be a wait that says nothing.
const MOST: usize = 2_000_000;

/// Walks all states that can be reached from here, deepest first, to the first broken promise.
pub fn explore(start: World) -> Explored {
    let mut explored = Explored { states: 0, removed: false, good_came: false, broken: None };
    // Each state, and the number of the one that it was reached from.
    let mut known: HashMap<Rc<World>, usize> = HashMap::new();
    let mut from: Vec<(Rc<World>, usize)> = Vec::new();
    let mut newest = Newest::default();
    let mut open = vec![(start, 0)];
    while let Some((world, before)) = open.pop() {
        if known.contains_key(&world) {
            continue;
        }
        let (number, world) = (from.len(), Rc::new(world));
        known.insert(Rc::clone(&world), number);
        from.push((Rc::clone(&world), before));
        assert!(number < MOST, "the model has too many states");
        explored.removed |= world.store.head((0, Part::Archive)).is_none();
        explored.good_came |= (2..4).any(|backup| world.store.head((backup, Part::Intact)).is_some());
        if let Err(what) = promise(&world, newest.good(&world)) {
            explored.broken = Some(Broken { what, way: way(&from, number) }.to_string());
            break;
        }
        open.extend(next(&world).into_iter().map(|next| (next, number)));
    }
    explored.states = from.len();
    explored
}

/// The newest good backup of what is stored, by the real catalog; it is asked once for each.
#[derive(Default)]
struct Newest(HashMap<Objects, Option<usize>>);

impl Newest {
    fn good(&mut self, world: &World) -> Option<usize> {
        if let Some(known) = self.0.get(&world.store.objects) {
            return *known;
        }
        let catalog = catalog(world.store.kind, &world.store.listed(0..BACKUPS));
        let good = catalog.as_ref().and_then(|catalog| catalog.newest_good(now()));
        let number = good.and_then(|good| (0..BACKUPS).find(|backup| id(world.store.kind, *backup) == good.id));
        self.0.insert(world.store.objects.clone(), number);
        number
    }
}

/// Everything that may happen next: anybody's next request, or anybody's end.
pub fn next(world: &World) -> Vec<World> {
    let mut all = Vec::new();
    for (number, actor) in world.actors.iter().enumerate() {
        let steps = actor.steps(&world.store);
        let dies = (!steps.is_empty()).then(|| (world.store.clone(), Actor::Dead));
        for (store, actor) in steps.into_iter().chain(dies) {
            let mut actors = world.actors.clone();
            actors[number] = actor.or_dead();
            all.push(World { store, actors });
        }
    }
    all
}

fn way(from: &[(Rc<World>, usize)], mut number: usize) -> Vec<Rc<World>> {
    let mut way = vec![Rc::clone(&from[number].0)];
    while number > 0 {
        number = from[number].1;
        way.push(Rc::clone(&from[number].0));
    }
    way.reverse();
    way
}

/// What is to be true at every instant.
pub(crate) fn promise(world: &World, good: Option<usize>) -> Result<(), String> {
    for backup in 0..BACKUPS {
        let of = |part| world.store.head((backup, part)).map(|version| version.of);
        if let Some(manifest) = of(Part::Manifest)
            && ![Part::Archive, Part::Other].map(of).contains(&Some(manifest))
        {
            return Err(format!("backup {backup} has a manifest and isn't whole"));
        }
        if let (Some(manifest), Some(verdict)) = (of(Part::Manifest), of(Part::Intact))
            && manifest != verdict
        {
            return Err(format!("the verdict of backup {backup} is about other bytes"));
        }
    }
    if good.is_none() {
        return Err("there was a good backup, and there is none".to_owned());
    }
    for actor in &world.actors {
        if let Actor::Agent(Agent { of, backup, at: AgentAt::Done { exit: 0 }, .. }) = actor {
            let is_there = world.store.head((*backup, Part::Manifest)).is_some_and(|manifest| manifest.of == *of);
            let is_replaced = good.is_some_and(|good| good > *backup);
            if !is_there && !is_replaced {
                return Err(format!("an agent said that backup {backup} is made, and it isn't there"));
            }
        }
    }
    Ok(())
}
