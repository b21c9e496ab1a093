//! How much of a dump lies in the spool already: one thread reads the archive on, others wait for what they need of it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use archive::{Entry, Walk};

/// The archive's head, or the data block of this number, counted from 1 in the archive's order.
pub(super) type Piece = usize;

/// The head is everything before the first data block.
pub(super) const HEAD: Piece = 0;

/// What has arrived.
#[derive(Default)]
pub(super) struct Arrived {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Bytes in the spool.
    bytes: u64,
    /// Where each piece ends, as far as is known; the next one begins there.
    ends: Vec<u64>,
    /// Index into the table of contents of the first entry whose data hasn't ended.
    next_entry: usize,
    /// The definitions are in the database: rows may come.
    defined: bool,
    given_up: bool,
}

/// Somebody else failed, and says why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GivenUp;

impl Arrived {
    /// Notes that so many bytes more lie in the spool, as far as this walk has come.
    pub(super) fn add(&self, bytes: usize, walk: &Walk) -> Result<(), GivenUp> {
        let mut state = self.lock();
        state.bytes += bytes as u64;
        if let (Some(head), true) = (walk.contents_end(), state.ends.is_empty()) {
            state.ends.push(head);
        }
        let rest = walk.contents().unwrap_or_default().iter().skip(state.next_entry);
        let passed = rest.take_while(|entry| !entry.has_data() || entry.data_end().is_some());
        let (count, ends) = passed.fold((0, Vec::new()), |(count, mut ends), entry| {
            ends.extend(Entry::data_end(entry));
            (count + 1, ends)
        });
        state.next_entry += count;
        state.ends.extend(ends);
        self.answer(state)
    }

    /// Waits until something of a piece beyond `position` has arrived, or until its end is known to be `position`. Says
    /// up to where it may be read, and whether that is its end. Before its beginning is known there is no position.
    pub(super) fn wait_for(&self, piece: Piece, position: Option<u64>) -> Result<Reach, GivenUp> {
        let mut state = self.lock();
        loop {
            if state.given_up {
                return Err(GivenUp);
            }
            if let Some(reach) = state.reach(piece, position) {
                return Ok(reach);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the rows come.
    pub(super) fn set_defined(&self) {
        self.lock().defined = true;
        self.changed.notify_all();
    }

    /// Waits until rows may come.
    pub(super) fn wait_until_defined(&self) -> Result<(), GivenUp> {
        let waited = self.changed.wait_while(self.lock(), |state| !state.defined && !state.given_up);
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.given_up { Err(GivenUp) } else { Ok(()) }
    }

    /// Whoever waits, or comes later, is told that it is of no use.
    pub(super) fn give_up(&self) {
        self.lock().given_up = true;
        self.changed.notify_all();
    }

    fn answer(&self, state: MutexGuard<'_, State>) -> Result<(), GivenUp> {
        self.changed.notify_all();
        if state.given_up { Err(GivenUp) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What may be read of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) from: u64,
    pub(super) to: u64,
    /// Nothing of the piece follows.
    pub(super) is_end: bool,
}

impl State {
    fn reach(&self, piece: Piece, position: Option<u64>) -> Option<Reach> {
        let begin = if piece == HEAD { 0 } else { *self.ends.get(piece - 1)? };
        let from = position.unwrap_or(begin);
        let end = self.ends.get(piece).copied();
        let to = end.unwrap_or(self.bytes);
        (to > from || end.is_some()).then_some(Reach { from, to, is_end: end.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(bytes: u64, ends: &[u64]) -> State {
        State { bytes, ends: ends.to_vec(), ..State::default() }
    }

    #[test]
    fn a_piece_is_read_as_it_comes_and_no_further_than_its_end() {
        let reach = |from, to, is_end| Some(Reach { from, to, is_end });
        assert_eq!(state(10, &[]).reach(HEAD, None), reach(0, 10, false));
        assert_eq!(state(10, &[]).reach(HEAD, Some(10)), None, "nothing new");
        assert_eq!(state(10, &[]).reach(1, None), None, "nobody knows where it begins");
        assert_eq!(state(100, &[30]).reach(HEAD, Some(10)), reach(10, 30, true));
        assert_eq!(state(100, &[30]).reach(1, None), reach(30, 100, false));
        assert_eq!(state(100, &[30, 80]).reach(1, Some(60)), reach(60, 80, true));
        assert_eq!(state(80, &[30, 80]).reach(1, Some(80)), reach(80, 80, true), "its end is known late");
        assert_eq!(state(80, &[30, 80]).reach(2, None), None, "not a byte of it has come");
    }
}
