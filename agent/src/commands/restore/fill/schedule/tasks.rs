//! What is made of tables as soon as their rows are in, shared out into pieces that a pg_restore each is worth.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ::archive::Entry;
use postgres::words::building::Step;

use crate::commands::restore::fill::share::Share;
use crate::commands::restore::fill::splitter::{Block, HEAD};

/// In which words entries are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::commands::restore::fill) enum Wording {
    #[default]
    AsTheyAre,
    /// Foreign keys that are not checked.
    Unchecked,
    /// The check of those.
    Check,
}

/// Entries of the archive that one pg_restore makes, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::commands::restore::fill) struct Task {
    /// The entries, in the archive's order.
    pub(in crate::commands::restore::fill) ids: Vec<i32>,
    pub(in crate::commands::restore::fill) wording: Wording,
    /// The units that have to be loaded before.
    pub(super) units: BTreeSet<usize>,
    /// The tasks that have to be done before.
    pub(super) after: BTreeSet<usize>,
    /// The tables, by their data blocks, that are changed; true: nothing else may be done to it at the time.
    pub(super) tables: BTreeMap<Block, bool>,
    /// Bytes of the rows that are gone through; the most where nothing is to come before it.
    pub(super) weight: u64,
    pub(super) is_key: bool,
}

impl Task {
    /// The smaller, the more urgent: what takes long, and what others wait for.
    pub(super) fn rank(&self) -> (Reverse<u64>, bool) {
        (Reverse(self.weight), !self.is_key)
    }

    /// Whether both may not be done at a time.
    pub(super) fn hinders(&self, other: &Self) -> bool {
        self.tables.iter().any(|(table, alone)| other.tables.get(table).is_some_and(|also| *alone || *also))
    }
}

/// So many bytes of rows take long enough to check for two pg_restore to be worth it.
const WORTH_TWO: u64 = 4 << 20;

/// The tasks of an archive with these contents. Of a table that is loaded alone each entry is one, of tables that are loaded
/// together all are; foreign keys of these stay for the end.
pub(in crate::commands::restore::fill) fn tasks(contents: &[Entry], steps: &[Step], units: &[&Share]) -> Vec<Task> {
    let blocks = blocks(contents);
    let units_of: BTreeMap<Block, usize> =
        (0..).zip(units).flat_map(|(number, unit)| unit.blocks.iter().map(move |block| (*block, number))).collect();
    let is_alone = |unit: usize| units.get(unit).is_some_and(|unit| unit.blocks.len() == 1);
    let weight = |unit: usize| units.get(unit).map_or(0, |unit| unit.weight);
    let find = |(schema, name): &(String, String)| {
        let block = blocks.get(&(schema.as_str(), name.as_str())).copied().flatten()?;
        Some((block, *units_of.get(&block)?))
    };
    let (mut tasks, mut together): (Vec<Task>, BTreeMap<usize, usize>) = Default::default();
    for step in steps.iter().filter(|step| step.refers_to.is_none()) {
        let Some((block, unit)) = find(&step.table) else { continue };
        let number = if is_alone(unit) { tasks.len() } else { *together.entry(unit).or_insert(tasks.len()) };
        if number == tasks.len() {
            tasks.push(Task { units: [unit].into(), weight: weight(unit), ..Task::default() });
        }
        let Some(task) = tasks.get_mut(number) else { continue };
        task.ids.push(step.dump_id);
        task.is_key |= step.is_key;
        *task.tables.entry(block).or_default() |= !step.shares;
    }
    let keys: Vec<(usize, BTreeSet<Block>)> = (0..)
        .zip(&tasks)
        .filter(|(_, task)| task.is_key)
        .map(|(number, task)| (number, task.tables.keys().copied().collect()))
        .collect();
    for step in steps {
        let Some(refers_to) = &step.refers_to else { continue };
        let (Some((from, unit)), Some((to, other))) = (find(&step.table), find(refers_to)) else { continue };
        if !is_alone(unit) {
            continue;
        }
        let after = keys.iter().filter(|(_, tables)| tables.contains(&to)).map(|(number, _)| *number).collect();
        let whole = Task {
            ids: vec![step.dump_id],
            units: [unit, other].into(),
            after,
            tables: [(from, true), (to, true)].into(),
            weight: weight(unit),
            ..Task::default()
        };
        if step.in_two.is_none() || from == to || whole.weight < WORTH_TWO {
            tasks.push(whole);
            continue;
        }
        let made = [tasks.len()].into();
        let check =
            Task { wording: Wording::Check, after: made, tables: [(from, true), (to, false)].into(), ..whole.clone() };
        // Soon done, and several may be checked then: as long as one is, none of the same table can be made.
        tasks.extend([Task { wording: Wording::Unchecked, weight: u64::MAX, ..whole }, check]);
    }
    tasks
}

/// The data block of each table by its names; `None` where several look alike.
fn blocks(contents: &[Entry]) -> BTreeMap<(&str, &str), Option<Block>> {
    let mut blocks = BTreeMap::new();
    for (block, entry) in (HEAD + 1..).zip(contents.iter().filter(|entry| entry.has_data())) {
        if entry.kind == "TABLE DATA" {
            let key = (entry.schema.as_str(), entry.name.as_str());
            blocks.entry(key).and_modify(|known| *known = None).or_insert(Some(block));
        }
    }
    blocks
}
