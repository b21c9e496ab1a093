//! What is done next where several work side by side: rows that are to be loaded, or indexes and keys of tables whose rows are in.
//!
//! One always loads while there is something to load, so that the archive flows; the others make what can be made first, of the largest
//! table first, and load when nothing can. Nobody waits for a lock of another's: of a table either several indexes are made at
//! a time, or one thing that changes the table. What isn't known to be ready early isn't here: pg_restore makes it last.

mod tasks;

use std::collections::{BTreeSet, VecDeque};

pub(super) use self::tasks::{Task, Wording, tasks};
use crate::commands::restore::fill::share::Share;

/// What is left, what goes on, and what is done.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// What is loaded by one pg_restore each.
    pub(super) units: Vec<Share>,
    pub(super) tasks: Vec<Task>,
    /// The units, by number, that each of those who load is to begin with.
    queues: Vec<VecDeque<usize>>,
    loading: BTreeSet<usize>,
    loaded: BTreeSet<usize>,
    /// Tasks that nobody has begun, the most urgent first.
    waiting: Vec<usize>,
    making: BTreeSet<usize>,
    made: BTreeSet<usize>,
    stopped: bool,
}

/// A piece of work, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Load(usize),
    Make(usize),
}

/// What somebody who has nothing to do is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Do(Work),
    /// Something that goes on may make something ready.
    Wait,
    Over,
}

impl Schedule {
    /// `queues`: what is loaded, by whom at first. The tasks know units by their numbers in that order.
    pub(super) fn new(queues: Vec<Vec<Share>>, tasks: Vec<Task>) -> Self {
        let mut schedule = Self::default();
        for queue in queues {
            let first = schedule.units.len();
            schedule.queues.push((first..first + queue.len()).collect());
            schedule.units.extend(queue);
        }
        schedule.waiting = (0..tasks.len()).collect();
        schedule.waiting.sort_by_key(|number| tasks.get(*number).map(Task::rank));
        schedule.tasks = tasks;
        schedule
    }

    /// What `worker` is to do now; it goes on from then.
    pub(super) fn next(&mut self, worker: usize) -> Next {
        if self.stopped {
            return Next::Over;
        }
        if self.loading.is_empty()
            && let Some(work) = self.load(worker)
        {
            return Next::Do(work);
        }
        if let Some(work) = self.make().or_else(|| self.load(worker)) {
            return Next::Do(work);
        }
        if self.loading.is_empty() && self.making.is_empty() { Next::Over } else { Next::Wait }
    }

    /// It is done.
    pub(super) fn done(&mut self, work: Work) {
        match work {
            Work::Load(unit) => _ = self.loading.remove(&unit) && self.loaded.insert(unit),
            Work::Make(task) => _ = self.making.remove(&task) && self.made.insert(task),
        }
    }

    /// Nothing more is begun.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether all rows are in.
    pub(super) fn is_loaded(&self) -> bool {
        self.loaded.len() == self.units.len()
    }

    /// The entries of all that was made.
    pub(super) fn made(&self) -> BTreeSet<i32> {
        let made = self.made.iter().filter_map(|task| self.tasks.get(*task));
        made.filter(|task| task.wording != Wording::Unchecked).flat_map(|task| task.ids.iter().copied()).collect()
    }

    /// The next unit of one's own, or else of whoever has most before him.
    fn load(&mut self, worker: usize) -> Option<Work> {
        let weight = |queue: &VecDeque<usize>| {
            queue.iter().filter_map(|unit| self.units.get(*unit)).map(|unit| unit.weight.saturating_add(1)).sum::<u64>()
        };
        let own = self.queues.get(worker).is_some_and(|queue| !queue.is_empty()).then_some(worker);
        let heaviest = || (0..self.queues.len()).max_by_key(|number| self.queues.get(*number).map(weight));
        let from = own.or_else(heaviest)?;
        let unit = self.queues.get_mut(from)?.pop_front()?;
        self.loading.insert(unit);
        Some(Work::Load(unit))
    }

    /// The most urgent task that is ready.
    fn make(&mut self) -> Option<Work> {
        let at =
            self.waiting.iter().position(|number| self.tasks.get(*number).is_some_and(|task| self.is_ready(task)))?;
        let task = self.waiting.remove(at);
        self.making.insert(task);
        Some(Work::Make(task))
    }

    fn is_ready(&self, task: &Task) -> bool {
        let mut under_way = self.making.iter().filter_map(|number| self.tasks.get(*number));
        task.units.is_subset(&self.loaded)
            && task.after.is_subset(&self.made)
            && !under_way.any(|other| other.hinders(task))
    }
}

#[cfg(test)]
mod tests;
