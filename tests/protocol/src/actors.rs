//! Who acts, one request at a time. Each step is what one request does; between two of them anybody else may act, or this one die.

use catalog::Policy;
use catalog::removal::{Outcome, Removal};
use catalog::retention::{Limit, plan};

use crate::store::{BACKUPS, Key, Kind, Part, Store, Version, catalog, layout, now};

/// Backups of the first page of a listing.
const FIRST_PAGE: usize = 2;
/// An actor's own numbers for what it writes.
const NUMBERS: u32 = 10;
/// The verifier's.
const VERIFIER: u32 = 50;

/// Somebody, and how far they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// `lastgood backup`.
    Agent(Agent),
    /// The verify function.
    Verifier(Verifier),
    /// The retention function, or `lastgood prune`.
    Retention(Retention),
    /// Killed, or without power.
    Dead,
}

/// How an actor may go on: more than one where it may choose.
pub type Next = Vec<(Store, Actor)>;

impl Actor {
    /// Every way in which this one may go on; none when it is done.
    #[must_use]
    pub fn steps(&self, store: &Store) -> Next {
        match self {
            Self::Agent(agent) => agent.step(store.clone()).into_iter().collect(),
            Self::Verifier(verifier) => verifier.steps(store),
            Self::Retention(retention) => retention.step(store.clone()).into_iter().collect(),
            Self::Dead => Vec::new(),
        }
    }

    /// Who won't act any more is as good as dead, but for who has said that all went well.
    #[must_use]
    pub fn or_dead(self) -> Self {
        let is_over = match &self {
            Self::Agent(agent) => matches!(agent.at, AgentAt::Done { exit } if exit != 0),
            Self::Verifier(verifier) => verifier.events == 0 && verifier.at == VerifierAt::Waiting,
            Self::Retention(retention) => matches!(&retention.at, RetentionAt::Removing(left, _) if left.is_empty()),
            Self::Dead => true,
        };
        if is_over { Self::Dead } else { self }
    }
}

/// `lastgood backup`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Agent {
    /// Its own archive.
    pub of: u32,
    /// The backup that it makes.
    pub backup: usize,
    /// Where its archive lies, by its compression.
    pub archive: Part,
    /// How far it is.
    pub at: AgentAt,
}

/// How far an agent is: what it does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentAt {
    /// Looks whether the name is free.
    Looking,
    /// Puts the archive.
    Archive,
    /// Puts the globals.
    Globals,
    /// Puts the manifest.
    Manifest,
    /// A directory's are read back at once.
    Judging,
    /// Somebody else's manifest lies there.
    TakingBack,
    /// Has ended.
    Done {
        /// With this exit status.
        exit: u8,
    },
}

impl Agent {
    /// An agent that begins.
    #[must_use]
    pub fn new(number: usize, backup: usize, archive: Part) -> Self {
        Self { of: u32::try_from(number).unwrap() + 1, backup, archive, at: AgentAt::Looking }
    }

    fn step(&self, mut store: Store) -> Option<(Store, Actor)> {
        let key = |part| (self.backup, part);
        let id = |part: u32| self.of * NUMBERS + part;
        let at = match self.at {
            AgentAt::Looking if store.head(key(self.archive)).or(store.head(key(Part::Manifest))).is_some() => {
                AgentAt::Done { exit: 1 }
            }
            AgentAt::Looking if store.rules.archive_first => AgentAt::Archive,
            AgentAt::Looking => AgentAt::Manifest,
            AgentAt::Archive if !store.put_new(key(self.archive), id(0), self.of) => AgentAt::Done { exit: 1 },
            AgentAt::Archive if !store.rules.archive_first => AgentAt::Done { exit: 0 },
            AgentAt::Archive => AgentAt::Globals,
            AgentAt::Globals => {
                store.put_new(key(Part::Globals), id(1), self.of);
                AgentAt::Manifest
            }
            AgentAt::Manifest if !store.put_new(key(Part::Manifest), id(2), self.of) => AgentAt::TakingBack,
            AgentAt::Manifest if !store.rules.archive_first => AgentAt::Archive,
            AgentAt::Manifest if store.kind == Kind::Directory => AgentAt::Judging,
            AgentAt::Manifest => AgentAt::Done { exit: 0 },
            AgentAt::Judging => {
                let part = if is_there(&store, self.backup, self.of) { Part::Intact } else { Part::Damaged };
                store.put(key(part), id(3), self.of);
                AgentAt::Done { exit: if part == Part::Intact { 0 } else { 1 } }
            }
            AgentAt::TakingBack => {
                // In a bucket it may not, and in a directory it takes what it has made.
                if store.kind == Kind::Directory {
                    store.remove(key(self.archive), &[id(0)]);
                    store.remove(key(Part::Globals), &[id(1)]);
                }
                AgentAt::Done { exit: 1 }
            }
            AgentAt::Done { .. } => return None,
        };
        Some((store, Actor::Agent(Self { at, ..self.clone() })))
    }
}

/// Whether the archive that a manifest names is there.
fn is_there(store: &Store, backup: usize, of: u32) -> bool {
    let archives = store.listed(backup..backup + 1).into_iter();
    let mut archives =
        archives.filter(|((_, part), _)| matches!(part, Part::Archive | Part::Other)).flat_map(|(_, all)| all);
    archives.any(|version| version.of == of)
}

/// The verify function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verifier {
    /// Events that are still to come, in any order, and twice.
    events: u8,
    /// How far it is.
    pub at: VerifierAt,
    written: u32,
}

/// How far a verifier is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VerifierAt {
    /// For an event.
    Waiting,
    /// Has read this manifest.
    Reading {
        /// Whose.
        backup: usize,
        /// The archive that it speaks of.
        of: u32,
    },
    /// Has read the archive.
    Judging {
        /// Of which backup.
        backup: usize,
        /// The archive that the manifest spoke of.
        of: u32,
        /// What it found.
        verdict: Part,
    },
}

impl Verifier {
    /// One that so many events are still to come for.
    #[must_use]
    pub fn new(events: u8) -> Self {
        Self { events, at: VerifierAt::Waiting, written: 0 }
    }

    fn steps(&self, store: &Store) -> Next {
        let at = |at| Actor::Verifier(Self { at, ..self.clone() });
        match self.at {
            VerifierAt::Waiting if self.events == 0 => Vec::new(),
            VerifierAt::Waiting => (0..BACKUPS)
                .filter_map(|backup| {
                    let of = store.head((backup, Part::Manifest))?.of;
                    let read = VerifierAt::Reading { backup, of };
                    Some((store.clone(), Actor::Verifier(Self { events: self.events - 1, at: read, ..self.clone() })))
                })
                .collect(),
            VerifierAt::Reading { backup, of } => {
                let verdict = if is_there(store, backup, of) { Part::Intact } else { Part::Damaged };
                vec![(store.clone(), at(VerifierAt::Judging { backup, of, verdict }))]
            }
            VerifierAt::Judging { backup, of, verdict } => {
                let mut store = store.clone();
                store.put((backup, verdict), VERIFIER * NUMBERS + self.written, of);
                let written = self.written + 1;
                vec![(store, Actor::Verifier(Self { at: VerifierAt::Waiting, written, ..self.clone() }))]
            }
        }
    }
}

/// The retention function, or `lastgood prune`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Retention {
    /// How far it is.
    pub at: RetentionAt,
}

/// What a listing showed.
pub type Listed = Vec<(Key, Vec<Version>)>;

/// How far a retention is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum RetentionAt {
    /// Lists what there is.
    #[default]
    Listing,
    /// Has the first page.
    Page(Listed),
    /// What is still to go, the next at the end, and backups of which something stayed.
    Removing(Vec<(Key, Vec<u32>)>, Vec<usize>),
}

impl Retention {
    fn step(&self, mut store: Store) -> Option<(Store, Actor)> {
        let at = match &self.at {
            RetentionAt::Listing if store.rules.pages => RetentionAt::Page(store.listed(0..FIRST_PAGE)),
            RetentionAt::Listing => RetentionAt::Removing(removals(&store, &store.listed(0..BACKUPS)), Vec::new()),
            RetentionAt::Page(first) => {
                let all = [first.clone(), store.listed(FIRST_PAGE..BACKUPS)].concat();
                RetentionAt::Removing(removals(&store, &all), Vec::new())
            }
            RetentionAt::Removing(left, stuck) => {
                let (mut left, mut stuck) = (left.clone(), stuck.clone());
                let (key, seen) = left.pop()?;
                if !stuck.contains(&key.0) && !store.remove(key, &seen) {
                    stuck.push(key.0);
                }
                RetentionAt::Removing(left, stuck)
            }
        };
        Some((store, Actor::Retention(Self { at })))
    }
}

/// What the real plan lets go of this listing, in the real order, the first at the end.
fn removals(store: &Store, listed: &Listed) -> Vec<(Key, Vec<u32>)> {
    let Some(catalog) = catalog(store.kind, listed) else { return Vec::new() };
    let policy = Policy { keep_last: 1, delete_after_days: None, minimum_good: 1, ..Policy::default() };
    let plan = plan(&catalog, &policy, now(), Limit::Lifted);
    let objects: Vec<_> = plan.removals().flat_map(|row| row.entry.removal().cloned()).collect();
    let mut removal = Removal::new(&layout(store.kind), &objects);
    let mut order = Vec::new();
    while let Some(step) = removal.next_step() {
        for (spelled, versions) in &step.objects {
            let key =
                listed.iter().map(|(key, _)| *key).find(|key| crate::store::spelled(store.kind, *key) == *spelled);
            let seen = versions.iter().filter_map(|object| object.bare_etag()?.parse().ok()).collect();
            order.push((key.unwrap(), seen));
        }
        removal.record(&step, step.objects.keys().map(|key| (key.clone(), Outcome::Removed)).collect());
    }
    if store.rules.manifest_goes_first {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests;
