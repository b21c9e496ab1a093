//! Carries a plan out as retention does, object by object, against a store that refuses, locks and is cut off.

use std::collections::{BTreeMap, HashMap};

use catalog::removal::Outcome;
use catalog::{BackupId, Layout, Object, Part, Plan, Removal};
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::store::{Made, Store};
use super::tally::Tally;

/// What goes wrong with deletions.
#[derive(Clone, Copy, Default)]
pub(crate) struct Trouble {
    /// Of each, how likely the store refuses it.
    pub(crate) refuses: f64,
    /// After so many the run is killed.
    pub(crate) killed_after: Option<usize>,
}

/// A removal under way.
pub(crate) struct Act {
    removal: Removal,
    layout: Layout,
    step: Option<catalog::removal::Step>,
    outcomes: BTreeMap<String, Outcome>,
    trouble: Trouble,
    deleted: usize,
}

impl Act {
    /// Begins: the store is asked for what there is of each backup that is to go.
    pub(crate) fn begin(store: &Store, plan: &Plan<'_>, trouble: Trouble) -> Self {
        let objects: Vec<Object> = plan.removals().flat_map(|row| row.entry.removal().cloned()).collect();
        let mut removal = Removal::new(&store.layout, &objects);
        if !objects.is_empty() {
            removal.compare(&store.layout, store.objects.keys().map(String::as_str));
        }
        let step = removal.next_step();
        Self { removal, layout: store.layout.clone(), step, outcomes: BTreeMap::new(), trouble, deleted: 0 }
    }

    /// Deletes one key, any of those whose turn it is, and holds the store to its promise; whether there is more to do.
    pub(crate) fn go_on(&mut self, store: &mut Store, random: &mut StdRng, tally: &mut Tally) -> Result<bool, String> {
        if self.trouble.killed_after == Some(self.deleted) {
            tally.crashes += u64::from(self.step.is_some());
            return Ok(false);
        }
        let Some(step) = &mut self.step else { return Ok(false) };
        if step.objects.is_empty() {
            let step = self.step.take().unwrap_or_default();
            self.removal.record(&step, std::mem::take(&mut self.outcomes));
            self.step = self.removal.next_step();
            return Ok(self.step.is_some());
        }
        let which = random.random_range(0..step.objects.len());
        let key = step.objects.keys().nth(which).unwrap().clone();
        let seen = step.objects.remove(&key).unwrap();
        let outcome = if random.random_bool(self.trouble.refuses) {
            tally.refusals += 1;
            Outcome::Failed("InternalError".into())
        } else {
            delete(store, &key, &seen)
        };
        tally.locked += u64::from(outcome == Outcome::Locked);
        tally.deletions += u64::from(outcome == Outcome::Removed);
        self.deleted += 1;
        self.outcomes.insert(key.clone(), outcome);
        if let Some(made) = of(&self.layout, &key).and_then(|id| store.made.iter().find(|made| made.id == id)) {
            store.keeps_the_promise(made)?;
        }
        Ok(true)
    }

    /// To its end, or to the kill.
    pub(crate) fn carry_through(
        mut self,
        store: &mut Store,
        random: &mut StdRng,
        tally: &mut Tally,
    ) -> Result<Removal, String> {
        while self.go_on(store, random, tally)? {}
        tally.changed += self.removal.changed.len() as u64;
        Ok(self.removal)
    }
}

fn of(layout: &Layout, key: &str) -> Option<BackupId> {
    match layout.parse(key) {
        Part::Archive { id, .. } | Part::Record { id, .. } => Some(id),
        _ => None,
    }
}

/// As S3 does it: each version that was seen by its id, and without versions what is still what was seen.
fn delete(store: &mut Store, key: &str, seen: &[Object]) -> Outcome {
    let Some(versions) = store.objects.get_mut(key) else { return Outcome::Removed };
    if versions.iter().any(|version| version.locked && seen.contains(&version.object)) {
        return Outcome::Locked;
    }
    if !versions.iter().any(|version| seen.contains(&version.object)) {
        return Outcome::Changed;
    }
    versions.retain(|version| !seen.contains(&version.object));
    if versions.is_empty() {
        store.objects.remove(key);
    }
    Outcome::Removed
}

/// What is lost of a store's backups: those that have their manifest no more.
pub(crate) fn lost<'a>(before: &'a Store, after: &Store) -> HashMap<&'a BackupId, &'a Made> {
    let were = before.made.iter().filter(|made| before.has_backup(&made.id));
    were.filter(|made| !after.has_backup(&made.id)).map(|made| (&made.id, made)).collect()
}
