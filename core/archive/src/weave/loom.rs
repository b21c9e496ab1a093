//! Strands that are read at the same time and given out one after the other, in bounded memory.
//!
//! Readers take strands in their order. The one whose turn it is is given out while it is read; what is read of the others waits,
//! and a reader whose piece has no more room waits with it. The first strand's reader never waits for room, and strands are
//! taken in order, so that there is always one that goes on. A strand that its reader can't read is handed back, and whoever
//! asks for [`Loom::turned`] takes it when its turn has come.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that may wait of the strand whose turn it is.
const TURNS_ROOM: usize = 1 << 20;
/// Buffers that are kept for the next pieces.
const SPARE: usize = 16;

/// The work of several readers on one output. `J`: what has to be known to read a strand. `O`: what its reader says of it in the end.
pub struct Loom<J, O> {
    state: Mutex<State<J, O>>,
    changed: Condvar,
    /// Bytes that may wait of strands whose turn has not come.
    room: usize,
}

/// One strand that a reader has taken.
#[derive(Clone, Debug)]
pub struct Strand<J> {
    number: u64,
    /// How to read it.
    pub job: J,
}

/// What there is for whoever takes strands that were handed back.
#[derive(Clone, Debug)]
pub enum Turned<J> {
    /// It is this one's turn.
    Strand(Strand<J>),
    /// Nothing so far.
    NotYet,
    /// There can be no more.
    Over,
}

/// What the loom gives out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thread<J, O> {
    /// A strand begins.
    Begin(J),
    /// Its next piece.
    Piece(Vec<u8>),
    /// It has ended.
    End {
        /// As it was taken.
        job: J,
        /// What its reader said of it.
        outcome: O,
    },
}

/// Nobody weaves any more: a reader or the output has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the dump was given up")]
pub struct Abandoned;

struct State<J, O> {
    jobs: Peekable<Box<dyn Iterator<Item = J> + Send>>,
    /// From the one whose turn it is to the last that was taken.
    strands: VecDeque<Held<J, O>>,
    /// The number of the first of them.
    turn: u64,
    /// Bytes that wait, those of the first strand not counted.
    waiting: usize,
    spare: Vec<Vec<u8>>,
    is_abandoned: bool,
}

struct Held<J, O> {
    job: J,
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    has_begun: bool,
    is_handed_back: bool,
    outcome: Option<O>,
}

impl<J: Clone, O> Loom<J, O> {
    /// A loom for these strands. `room`: bytes that may wait of those whose turn hasn't come.
    pub fn new(jobs: impl Iterator<Item = J> + Send + 'static, room: usize) -> Self {
        let jobs: Box<dyn Iterator<Item = J> + Send> = Box::new(jobs);
        let state = State {
            jobs: jobs.peekable(),
            strands: VecDeque::new(),
            turn: 0,
            waiting: 0,
            spare: Vec::new(),
            is_abandoned: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), room }
    }

    /// The next strand to read; `None` when all have been taken, or the dump was given up.
    pub fn take(&self) -> Option<Strand<J>> {
        let mut state = self.state();
        if state.is_abandoned {
            return None;
        }
        let job = state.jobs.next()?;
        let number = state.turn + state.strands.len() as u64;
        state.strands.push_back(Held::new(job.clone()));
        drop(state);
        self.changed.notify_all();
        Some(Strand { number, job })
    }

    /// Leaves the strand to whoever waits for [`Loom::turned`]. Nothing of it has been put.
    pub fn hand_back(&self, strand: &Strand<J>) {
        self.with(strand, |held| held.is_handed_back = true);
    }

    /// Waits until it is the turn of a strand that was handed back, but no longer than `patience`.
    pub fn turned(&self, patience: Duration) -> Turned<J> {
        let until = Instant::now() + patience;
        let mut state = self.state();
        loop {
            let number = state.turn;
            if state.is_abandoned || state.is_empty() {
                return Turned::Over;
            }
            if let Some(first) = state.strands.front_mut().filter(|first| first.is_handed_back) {
                first.is_handed_back = false;
                return Turned::Strand(Strand { number, job: first.job.clone() });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Turned::NotYet;
            }
            (state, _) = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Hands in the strand's next piece, and waits while there is no room for it.
    ///
    /// # Errors
    /// [`Abandoned`].
    pub fn put(&self, strand: &Strand<J>, piece: Vec<u8>) -> Result<(), Abandoned> {
        let mut state = self.state();
        loop {
            if state.is_abandoned {
                return Err(Abandoned);
            }
            let is_turn = state.turn == strand.number;
            let waiting = state.waiting;
            let Some(held) = state.held(strand) else { return Err(Abandoned) };
            let has_room = if is_turn { held.bytes < TURNS_ROOM } else { waiting + piece.len() <= self.room };
            if has_room {
                held.bytes += piece.len();
                let length = piece.len();
                held.pieces.push_back(piece);
                state.waiting += if is_turn { 0 } else { length };
                break;
            }
            state = self.wait(state);
        }
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// The strand is whole.
    pub fn end(&self, strand: &Strand<J>, outcome: O) {
        self.with(strand, |held| held.outcome = Some(outcome));
    }

    /// Gives the dump up: everybody who waits is told.
    pub fn abandon(&self) {
        self.state().is_abandoned = true;
        self.changed.notify_all();
    }

    /// An empty buffer for a piece, with the memory of one before if there is one.
    pub fn buffer(&self) -> Vec<u8> {
        self.state().spare.pop().unwrap_or_default()
    }

    /// Takes a piece's buffer back.
    pub fn recycle(&self, mut piece: Vec<u8>) {
        piece.clear();
        let mut state = self.state();
        if state.spare.len() < SPARE {
            state.spare.push(piece);
        }
    }

    /// What comes next, waiting for it; `None` when every strand has been given out.
    ///
    /// # Errors
    /// [`Abandoned`].
    pub fn weave(&self) -> Result<Option<Thread<J, O>>, Abandoned> {
        let mut state = self.state();
        let next = loop {
            if state.is_abandoned {
                return Err(Abandoned);
            }
            if state.is_empty() {
                break None;
            }
            if let Some(next) = state.next() {
                break Some(next);
            }
            state = self.wait(state);
        };
        drop(state);
        self.changed.notify_all();
        Ok(next)
    }

    fn state(&self) -> MutexGuard<'_, State<J, O>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<J, O>>) -> MutexGuard<'a, State<J, O>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, strand: &Strand<J>, change: impl FnOnce(&mut Held<J, O>)) {
        if let Some(held) = self.state().held(strand) {
            change(held);
        }
        self.changed.notify_all();
    }
}

impl<J: Clone, O> State<J, O> {
    /// Whether everything has been taken and given out.
    fn is_empty(&mut self) -> bool {
        self.strands.is_empty() && self.jobs.peek().is_none()
    }

    fn held(&mut self, strand: &Strand<J>) -> Option<&mut Held<J, O>> {
        let place = strand.number.checked_sub(self.turn)?;
        self.strands.get_mut(usize::try_from(place).ok()?)
    }

    /// The next thread of the first strand, if it is there.
    fn next(&mut self) -> Option<Thread<J, O>> {
        let first = self.strands.front_mut()?;
        if !first.has_begun {
            first.has_begun = true;
            return Some(Thread::Begin(first.job.clone()));
        }
        if let Some(piece) = first.pieces.pop_front() {
            first.bytes -= piece.len();
            return Some(Thread::Piece(piece));
        }
        let outcome = first.outcome.take()?;
        let Held { job, .. } = self.strands.pop_front()?;
        self.turn += 1;
        // What waits of the next one doesn't count any more: its turn has come.
        self.waiting -= self.strands.front().map_or(0, |next| next.bytes);
        Some(Thread::End { job, outcome })
    }
}

impl<J, O> Held<J, O> {
    fn new(job: J) -> Self {
        Self { job, pieces: VecDeque::new(), bytes: 0, has_begun: false, is_handed_back: false, outcome: None }
    }
}

#[cfg(test)]
mod tests;
