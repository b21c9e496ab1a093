//! Work that is done by several threads and comes out in the order it went in.

use std::collections::VecDeque;

use crossbeam_channel::Sender;

/// A job's number and the promise of one result for it: if the job is dropped, because its thread died or nobody is
/// left to do it, its result says so. Whoever waits for a result never waits in vain.
pub(super) struct Ticket<T> {
    number: u64,
    results: Option<Sender<Numbered<T>>>,
}

/// The result of a job; none if the job was lost.
pub(super) struct Numbered<T> {
    pub(super) number: u64,
    pub(super) result: Option<T>,
}

impl<T> Ticket<T> {
    pub(super) fn new(number: u64, results: Sender<Numbered<T>>) -> Self {
        Self { number, results: Some(results) }
    }

    pub(super) fn redeem(mut self, result: T) {
        self.send(Some(result));
    }

    fn send(&mut self, result: Option<T>) {
        if let Some(results) = self.results.take() {
            // An error says that nobody waits any more.
            let _ = results.send(Numbered { number: self.number, result });
        }
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        self.send(None);
    }
}

/// A queue whose places are taken in order and filled in any.
pub(super) struct InOrder<T> {
    first: u64,
    places: VecDeque<Option<T>>,
}

impl<T> InOrder<T> {
    pub(super) fn new() -> Self {
        Self { first: 0, places: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds an empty place and gives its number.
    pub(super) fn take_place(&mut self) -> u64 {
        self.places.push_back(None);
        self.first + self.places.len() as u64 - 1
    }

    /// Fills a place, which need not have been taken before.
    pub(super) fn fill(&mut self, number: u64, value: T) {
        let Some(index) = number.checked_sub(self.first) else { return };
        let index = index as usize;
        if self.places.len() <= index {
            self.places.resize_with(index + 1, || None);
        }
        if let Some(place) = self.places.get_mut(index) {
            *place = Some(value);
        }
    }

    /// The first place's value, once it is there.
    pub(super) fn pop(&mut self) -> Option<T> {
        let value = self.places.front_mut()?.take()?;
        self.places.pop_front();
        self.first += 1;
        Some(value)
    }
}
