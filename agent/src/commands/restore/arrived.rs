//! How much of a dump has arrived, and where it lies: one thread reads the archive on, others take what they need of it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use archive::{Entry, Walk};

use crate::commands::restore::slots::{Chunk, Room};

/// The archive's head, or the data block of this number, counted from 1 in the archive's order.
pub(super) type Piece = usize;

/// The head is everything before the first data block.
pub(super) const HEAD: Piece = 0;

/// While this much waits, in bytes, and nobody is short of anything, the archive isn't read on: the cores have better to do.
const PLENTY: u64 = 32 << 20;

/// Tells the reader which piece its bytes belong to.
#[derive(Debug, Default)]
pub(super) struct Divider {
    /// Bytes of the dump so far.
    bytes: u64,
    /// What the next bytes belong to.
    piece: Piece,
    /// Index into the table of contents of the first entry whose data hasn't ended.
    next_entry: usize,
}

/// What has arrived.
#[derive(Default)]
pub(super) struct Arrived {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is arriving; every piece before it is whole.
    piece: Piece,
    /// What lies in the spool, by piece, in order.
    waiting: BTreeMap<Piece, VecDeque<Chunk>>,
    room: Room,
    /// How many wait for bytes that haven't arrived.
    short: usize,
    /// The definitions are in the database: rows may come.
    defined: bool,
    given_up: bool,
}

/// Somebody else failed, and says why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GivenUp;

impl Divider {
    /// Which piece each part of the next `length` bytes belongs to. `walk` has just seen them.
    pub(super) fn divide(&mut self, length: usize, walk: &Walk) -> Vec<(Piece, Range<usize>)> {
        let ends = self.new_ends(walk);
        self.divide_at(&ends, length)
    }

    /// What the bytes after these belong to.
    pub(super) fn piece(&self) -> Piece {
        self.piece
    }

    /// Where pieces end that the walk has passed since it was asked last.
    fn new_ends(&mut self, walk: &Walk) -> Vec<u64> {
        let mut ends: Vec<u64> = walk.contents_end().into_iter().filter(|_| self.piece == HEAD).collect();
        let rest = walk.contents().unwrap_or_default().iter().skip(self.next_entry);
        for entry in rest.take_while(|entry| !entry.has_data() || entry.data_end().is_some()) {
            ends.extend(Entry::data_end(entry));
            self.next_entry += 1;
        }
        ends
    }

    fn divide_at(&mut self, ends: &[u64], length: usize) -> Vec<(Piece, Range<usize>)> {
        let mut parts = Vec::new();
        let mut from = 0;
        for end in ends {
            let to = usize::try_from(end.saturating_sub(self.bytes)).unwrap_or(length).min(length);
            parts.push((self.piece, from..to));
            (self.piece, from) = (self.piece + 1, to);
        }
        parts.push((self.piece, from..length));
        parts.retain(|(_, part)| !part.is_empty());
        self.bytes += length as u64;
        parts
    }
}

impl Arrived {
    /// Everything before `piece` has been added.
    pub(super) fn reach(&self, piece: Piece) {
        self.lock().piece = piece;
        self.changed.notify_all();
    }

    /// Room in the spool for so many bytes of a data block, once they are needed or little enough waits.
    pub(super) fn room_for(&self, length: u32) -> Result<Chunk, GivenUp> {
        let has_plenty = |state: &mut State| !state.given_up && state.short == 0 && state.room.taken() > PLENTY;
        let state = self.changed.wait_while(self.lock(), has_plenty).unwrap_or_else(PoisonError::into_inner);
        let mut state = unless_given_up(state)?;
        Ok(state.room.take(length))
    }

    /// What was written into such room may be fetched.
    pub(super) fn add(&self, piece: Piece, chunk: Chunk) {
        self.lock().waiting.entry(piece).or_default().push_back(chunk);
        self.changed.notify_all();
    }

    /// Waits for what follows of a data block; `None` at its end.
    pub(super) fn next(&self, piece: Piece) -> Result<Option<Chunk>, GivenUp> {
        let mut state = self.lock();
        if !state.given_up && !state.has(piece) {
            state.short += 1;
            // Once: two that are short would wake each other for ever.
            self.changed.notify_all();
            let is_short = |state: &mut State| !state.given_up && !state.has(piece);
            state = self.changed.wait_while(state, is_short).unwrap_or_else(PoisonError::into_inner);
            state.short -= 1;
        }
        let mut state = unless_given_up(state)?;
        Ok(state.waiting.get_mut(&piece).and_then(VecDeque::pop_front))
    }

    /// What was in this room has been read.
    pub(super) fn give_back(&self, chunk: Chunk) {
        self.lock().room.give_back(chunk);
        self.changed.notify_all();
    }

    /// Waits until all of the archive's head is there.
    pub(super) fn wait_for_head(&self) -> Result<(), GivenUp> {
        self.wait_until(|state| state.piece > HEAD)
    }

    /// Lets the rows come.
    pub(super) fn set_defined(&self) {
        self.lock().defined = true;
        self.changed.notify_all();
    }

    /// Waits until rows may come.
    pub(super) fn wait_until_defined(&self) -> Result<(), GivenUp> {
        self.wait_until(|state| state.defined)
    }

    /// Whoever waits, or comes later, is told that it is of no use.
    pub(super) fn give_up(&self) {
        self.lock().given_up = true;
        self.changed.notify_all();
    }

    fn wait_until(&self, is_so: impl Fn(&State) -> bool) -> Result<(), GivenUp> {
        let waited = self.changed.wait_while(self.lock(), |state| !state.given_up && !is_so(state));
        unless_given_up(waited.unwrap_or_else(PoisonError::into_inner)).map(drop)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unless_given_up(state: MutexGuard<'_, State>) -> Result<MutexGuard<'_, State>, GivenUp> {
    if state.given_up { Err(GivenUp) } else { Ok(state) }
}

impl State {
    /// Something of it may be fetched, or nothing more will come.
    fn has(&self, piece: Piece) -> bool {
        piece < self.piece || self.waiting.get(&piece).is_some_and(|chunks| !chunks.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divide(divider: &mut Divider, length: usize, ends: &[u64]) -> Vec<(Piece, usize, usize)> {
        let parts = divider.divide_at(ends, length);
        parts.into_iter().map(|(piece, part)| (piece, part.start, part.end)).collect()
    }

    #[test]
    fn bytes_are_divided_where_pieces_end() {
        let mut divider = Divider::default();
        assert_eq!(divide(&mut divider, 10, &[]), [(HEAD, 0, 10)]);
        assert_eq!(divide(&mut divider, 30, &[25, 30]), [(HEAD, 0, 15), (1, 15, 20), (2, 20, 30)]);
        assert_eq!(divide(&mut divider, 10, &[40]), [(3, 0, 10)], "an end that is known late");
        assert_eq!(divide(&mut divider, 5, &[55, 55]), [(3, 0, 5)], "an empty piece");
        assert_eq!(divider.piece(), 5);
    }

    #[test]
    fn a_piece_is_fetched_in_order_and_ends() {
        let arrived = Arrived::default();
        arrived.reach(1);
        for length in [7, 9] {
            let chunk = arrived.room_for(length).unwrap();
            arrived.add(1, chunk);
        }
        arrived.reach(2);
        let lengths = std::iter::from_fn(|| arrived.next(1).unwrap()).map(|chunk| {
            let length = arrived.lock().room.taken();
            arrived.give_back(chunk);
            length
        });
        assert_eq!(lengths.collect::<Vec<_>>(), [16, 9]);
    }

    #[test]
    fn the_reader_waits_while_there_is_plenty_unless_somebody_is_short() {
        let arrived = Arrived::default();
        arrived.reach(1);
        let plenty = (0..=PLENTY >> 20).map(|_| arrived.room_for(1 << 20).unwrap()).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| arrived.room_for(1));
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(!reader.is_finished(), "nobody needs more");
            let short = scope.spawn(|| arrived.next(1));
            let chunk = reader.join().unwrap().unwrap();
            arrived.add(1, chunk);
            assert!(short.join().unwrap().unwrap().is_some());
            let reader = scope.spawn(|| arrived.room_for(1));
            plenty.into_iter().take(2).for_each(|chunk| arrived.give_back(chunk));
            assert!(reader.join().unwrap().is_ok());
        });
    }

    #[test]
    fn who_waits_is_told_when_another_has_given_up() {
        let arrived = Arrived::default();
        std::thread::scope(|scope| {
            let waiting = [scope.spawn(|| arrived.next(1).map(drop)), scope.spawn(|| arrived.wait_until_defined())];
            arrived.give_up();
            waiting.into_iter().for_each(|waits| assert_eq!(waits.join().unwrap(), Err(GivenUp)));
        });
        assert_eq!(arrived.room_for(1), Err(GivenUp));
    }
}
