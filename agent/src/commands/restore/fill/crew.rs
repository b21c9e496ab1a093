//! Several who work on one schedule, each with one session at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use postgres::programs::program::Stopper;

use crate::commands::restore::fill::relay::Cancelled;
use crate::commands::restore::fill::schedule::{Next, Schedule, Wording, Work};
use crate::commands::restore::fill::share::Share;

/// The schedule, and who works on it.
pub(super) struct Crew {
    schedule: Mutex<Schedule>,
    changed: Condvar,
    /// What ends the programs that make indexes.
    stoppers: Mutex<Vec<Stopper>>,
}

/// What somebody is to do.
pub(super) enum Piece {
    /// Load these blocks.
    Rows(Share),
    /// Make these entries, in this order and these words.
    Entries(Vec<i32>, Wording),
}

impl Crew {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule: Mutex::new(schedule), changed: Condvar::new(), stoppers: Mutex::default() }
    }

    /// Does what there is to do, until nothing is left or somebody has failed.
    ///
    /// # Errors
    /// What `act` fails with.
    pub(super) fn work<E>(&self, worker: usize, act: impl Fn(&Piece) -> Result<(), E>) -> Result<(), E> {
        while let Some((work, piece)) = self.take(worker) {
            act(&piece)?;
            self.lock().done(work);
            self.changed.notify_all();
        }
        Ok(())
    }

    fn take(&self, worker: usize) -> Option<(Work, Piece)> {
        let mut schedule = self.lock();
        loop {
            match schedule.next(worker) {
                Next::Do(work) => {
                    let piece = match work {
                        Work::Load(unit) => schedule.units.get(unit).cloned().map(Piece::Rows),
                        Work::Make(task) => {
                            schedule.tasks.get(task).map(|task| Piece::Entries(task.ids.clone(), task.wording))
                        }
                    };
                    return Some((work, piece?));
                }
                Next::Wait => schedule = self.changed.wait(schedule).unwrap_or_else(PoisonError::into_inner),
                Next::Over => return None,
            }
        }
    }

    /// A program that is ended when somebody fails.
    ///
    /// # Errors
    /// When somebody has.
    pub(super) fn watch(&self, stopper: Stopper) -> Result<(), Cancelled> {
        self.stoppers.lock().unwrap_or_else(PoisonError::into_inner).push(stopper);
        if self.is_stopped() { Err(Cancelled) } else { Ok(()) }
    }

    /// Ends everybody's work.
    pub(super) fn stop(&self) {
        self.lock().stop();
        self.changed.notify_all();
        self.stoppers.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|stopper| stopper.stop());
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.lock().is_stopped()
    }

    /// Waits until all rows are in.
    ///
    /// # Errors
    /// When somebody has failed.
    pub(super) fn wait_until_loaded(&self) -> Result<(), Cancelled> {
        let is_open = |schedule: &mut Schedule| !schedule.is_stopped() && !schedule.is_loaded();
        let schedule = self.changed.wait_while(self.lock(), is_open).unwrap_or_else(PoisonError::into_inner);
        if schedule.is_stopped() { Err(Cancelled) } else { Ok(()) }
    }

    /// The entries that were made.
    pub(super) fn made(&self) -> std::collections::BTreeSet<i32> {
        self.lock().made()
    }

    fn lock(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
