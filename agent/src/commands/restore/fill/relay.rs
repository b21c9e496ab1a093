//! A bounded store between one producer, who reads the archive, and several consumers, each of whom feeds a pg_restore.
//!
//! ```text
//!   archive ─► Splitter ─► head ─► a file ──────────────► definitions ─► set_defined
//!                     └──► block 1, 2, … ─► take_slot, add          │
//!                                              │                    ▼
//!                                      slots of a spool ─► next(block) ─► pg_restore's pipe ─► give_back
//! ```
//!
//! The producer stops while much waits and no consumer is starving. Whoever fails cancels; everybody else is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::commands::restore::fill::slots::{Slot, Slots};
use crate::commands::restore::fill::splitter::{Block, HEAD};

/// While this much waits, in bytes, and no consumer is starving, the archive isn't read on: the cores have better to do.
const MOST_WAITING: u64 = 32 << 20;

/// What has been read of the archive and not been fetched yet.
#[derive(Default)]
pub(super) struct Relay {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The block that is being read; every one before it is whole.
    block: Block,
    /// What waits in the spool, by block, in order.
    waiting: BTreeMap<Block, VecDeque<Slot>>,
    slots: Slots,
    /// How many consumers wait for bytes that have not been read.
    starving: usize,
    /// The definitions are in the database: rows may come.
    defined: bool,
    cancelled: bool,
    /// Nobody takes what is read, and it is read to the end all the same.
    discarding: bool,
}

/// Another part of the restore failed, and says why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cancelled;

impl Relay {
    /// Everything before `block` has been added.
    pub(super) fn reach(&self, block: Block) {
        self.lock().block = block;
        self.changed.notify_all();
    }

    /// A slot of the spool for `length` bytes of a data block, once they are needed or little enough waits.
    pub(super) fn take_slot(&self, length: u32) -> Result<Slot, Cancelled> {
        let has_enough =
            |state: &mut State| !state.cancelled && state.starving == 0 && state.slots.taken() > MOST_WAITING;
        let state = self.changed.wait_while(self.lock(), has_enough).unwrap_or_else(PoisonError::into_inner);
        let mut state = unless_cancelled(state)?;
        Ok(state.slots.take(length))
    }

    /// What was written into this slot may be fetched.
    pub(super) fn add(&self, block: Block, slot: Slot) {
        self.lock().waiting.entry(block).or_default().push_back(slot);
        self.changed.notify_all();
    }

    /// Waits for the next slot of a data block; `None` at its end.
    pub(super) fn next(&self, block: Block) -> Result<Option<Slot>, Cancelled> {
        let mut state = self.lock();
        if !state.cancelled && !state.has(block) {
            state.starving += 1;
            // Once: two that are starving would keep waking each other.
            self.changed.notify_all();
            let is_starving = |state: &mut State| !state.cancelled && !state.has(block);
            state = self.changed.wait_while(state, is_starving).unwrap_or_else(PoisonError::into_inner);
            state.starving -= 1;
        }
        let mut state = unless_cancelled(state)?;
        Ok(state.waiting.get_mut(&block).and_then(VecDeque::pop_front))
    }

    /// The content of this slot has been read.
    pub(super) fn give_back(&self, slot: Slot) {
        self.lock().slots.give_back(slot);
        self.changed.notify_all();
    }

    /// Waits until all of the archive's head is there.
    pub(super) fn wait_for_head(&self) -> Result<(), Cancelled> {
        self.wait_until(|state| state.block > HEAD)
    }

    /// Lets the rows come.
    pub(super) fn set_defined(&self) {
        self.lock().defined = true;
        self.changed.notify_all();
    }

    /// Waits until rows may come.
    pub(super) fn wait_until_defined(&self) -> Result<(), Cancelled> {
        self.wait_until(|state| state.defined)
    }

    /// Tells everybody who waits, or comes later, that the restore has failed.
    pub(super) fn cancel(&self) {
        self.lock().cancelled = true;
        self.changed.notify_all();
    }

    /// The same where the archive is read on, because what it is matters more than why the restore has failed.
    pub(super) fn discard(&self) {
        self.lock().discarding = true;
        self.cancel();
    }

    /// Whether what is read is wanted by nobody.
    pub(super) fn is_discarding(&self) -> bool {
        self.lock().discarding
    }

    fn wait_until(&self, is_so: impl Fn(&State) -> bool) -> Result<(), Cancelled> {
        let waited = self.changed.wait_while(self.lock(), |state| !state.cancelled && !is_so(state));
        unless_cancelled(waited.unwrap_or_else(PoisonError::into_inner)).map(drop)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unless_cancelled(state: MutexGuard<'_, State>) -> Result<MutexGuard<'_, State>, Cancelled> {
    if state.cancelled { Err(Cancelled) } else { Ok(state) }
}

impl State {
    /// Whether a slot of it may be fetched, or nothing more will come.
    fn has(&self, block: Block) -> bool {
        block < self.block || self.waiting.get(&block).is_some_and(|slots| !slots.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
    use std::thread::Scope;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_block_is_fetched_in_order_and_ends() {
        let relay = Relay::default();
        relay.reach(1);
        for length in [7, 9] {
            let slot = relay.take_slot(length).unwrap();
            relay.add(1, slot);
        }
        relay.reach(2);
        let lengths = std::iter::from_fn(|| relay.next(1).unwrap()).map(|slot| {
            let length = relay.lock().slots.taken();
            relay.give_back(slot);
            length
        });
        assert_eq!(lengths.collect::<Vec<_>>(), [16, 9]);
    }

    /// The longest that a thread is waited for, on a machine that is busy.
    const MOMENT: Duration = Duration::from_secs(60);

    /// A wait in a relay.
    type Waits = fn(&Relay) -> Result<(), Cancelled>;

    /// Ends every wait in the relay when the test takes too long: it fails then, instead of hanging.
    fn watch<'scope>(scope: &'scope Scope<'scope, '_>, relay: &'scope Relay) -> Sender<()> {
        let (done, ended) = channel();
        scope.spawn(move || {
            if ended.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
                relay.cancel();
            }
        });
        done
    }

    #[test]
    fn the_reader_waits_while_much_waits_unless_a_consumer_is_starving() {
        let relay = Relay::default();
        relay.reach(1);
        let waiting = (0..=MOST_WAITING >> 20).map(|_| relay.take_slot(1 << 20).unwrap()).collect::<Vec<_>>();
        let (begins, begun) = channel();
        std::thread::scope(|scope| {
            let _done = watch(scope, &relay);
            let reader = scope.spawn(|| {
                begins.send(()).unwrap();
                relay.take_slot(1)
            });
            begun.recv_timeout(MOMENT).expect("the reader begins");
            std::thread::sleep(Duration::from_millis(100));
            assert!(!reader.is_finished(), "nobody needs more");
            let starving = scope.spawn(|| relay.next(1));
            let slot = reader.join().unwrap().unwrap();
            relay.add(1, slot);
            assert!(starving.join().unwrap().unwrap().is_some());
            let reader = scope.spawn(|| relay.take_slot(1));
            waiting.into_iter().take(2).for_each(|slot| relay.give_back(slot));
            assert!(reader.join().unwrap().is_ok());
        });
    }

    #[test]
    fn who_waits_is_told_when_another_part_has_failed() {
        let relay = Arc::new(Relay::default());
        let (tells, told) = channel();
        let waits: [Waits; 2] = [|relay| relay.next(1).map(drop), Relay::wait_until_defined];
        for wait in waits {
            let (relay, tells) = (Arc::clone(&relay), tells.clone());
            // Not in a scope, which would wait for one that isn't told.
            std::thread::spawn(move || tells.send(wait(&relay)));
        }
        relay.cancel();
        for _ in 0..2 {
            assert_eq!(told.recv_timeout(MOMENT), Ok(Err(Cancelled)));
        }
        assert_eq!(relay.take_slot(1), Err(Cancelled));
    }
}
