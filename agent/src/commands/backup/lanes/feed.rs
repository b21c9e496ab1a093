//! What one lane is given: a short queue, and the mark that it has fallen behind and reads from the local copy.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::answers::failure::Failure;

/// Blocks that wait, each of at most 1 MiB. All lanes share their bytes.
pub(super) const WAITING: usize = 2;

/// What became of a block that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// It will be stored.
    Taken,
    /// There is no room for it now.
    Full,
    /// The lane has failed.
    Closed,
}

/// What comes next for a lane.
#[derive(Debug)]
pub(super) enum Next {
    Block(Bytes),
    /// It lags, and what comes next is in the local copy.
    Missed,
    /// All bytes were given.
    End,
    /// It is to give up.
    Stop(Failure),
}

#[derive(Debug, Default)]
pub(super) struct Feed {
    state: Mutex<State>,
    /// Wakes the lane.
    given: Notify,
    /// Wakes who feeds it.
    taken: Notify,
    /// Wakes the lane in the middle of a request.
    told: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Bytes>,
    /// Bytes that were given altogether, those it has missed among them.
    fed: u64,
    behind: bool,
    ended: bool,
    closed: bool,
    /// It waits for more.
    hungry: bool,
    stop: Option<Failure>,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers the next block. `spools`: it is in the local copy as well, so that a lane which has no room may read it there.
    pub(super) fn offer(&self, bytes: &Bytes, spools: bool) -> Offered {
        let mut state = self.lock();
        if state.closed || state.stop.is_some() {
            return Offered::Closed;
        }
        let has_room = !state.behind && state.queue.len() < WAITING;
        if !has_room && !spools {
            return Offered::Full;
        }
        if has_room {
            state.queue.push_back(bytes.clone());
        } else {
            state.behind = true;
        }
        state.fed += bytes.len() as u64;
        drop(state);
        self.given.notify_one();
        Offered::Taken
    }

    /// What comes next for a lane that has taken `offset` bytes.
    pub(super) async fn next(&self, offset: u64) -> Next {
        loop {
            if let Some(next) = self.look(offset) {
                self.taken.notify_one();
                return next;
            }
            self.given.notified().await;
        }
    }

    fn look(&self, offset: u64) -> Option<Next> {
        let mut state = self.lock();
        state.hungry = false;
        if let Some(failure) = &state.stop {
            return Some(Next::Stop(failure.clone()));
        }
        if let Some(block) = state.queue.pop_front() {
            return Some(Next::Block(block));
        }
        if state.behind && offset < state.fed {
            return Some(Next::Missed);
        }
        if state.behind {
            state.behind = false;
            self.taken.notify_one();
        }
        if state.ended {
            return Some(Next::End);
        }
        state.hungry = true;
        None
    }

    /// Waits until something was taken.
    pub(super) async fn room(&self) {
        self.taken.notified().await;
    }

    /// Waits until the lane is to give up, and why.
    pub(super) async fn stopped(&self) -> Failure {
        loop {
            if let Some(failure) = self.lock().stop.clone() {
                return failure;
            }
            self.told.notified().await;
        }
    }

    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.given.notify_one();
    }

    /// Tells the lane to give up, unless it was told before.
    pub(super) fn stop(&self, why: Failure) {
        self.lock().stop.get_or_insert(why);
        self.given.notify_one();
        self.told.notify_one();
    }

    /// That nothing is taken any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.queue.clear();
        drop(state);
        self.taken.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        let state = self.lock();
        state.closed || state.stop.is_some()
    }

    pub(super) fn is_hungry(&self) -> bool {
        self.lock().hungry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::failure::Exit;

    fn block() -> Bytes {
        Bytes::from_static(b"block")
    }

    #[tokio::test]
    async fn a_full_queue_takes_no_more_and_one_that_may_read_elsewhere_falls_behind_and_catches_up() {
        let feed = Feed::default();
        for _ in 0..WAITING {
            assert_eq!(feed.offer(&block(), false), Offered::Taken);
        }
        assert_eq!(feed.offer(&block(), false), Offered::Full);
        assert_eq!(feed.offer(&block(), true), Offered::Taken);
        for _ in 0..WAITING {
            assert!(matches!(feed.next(0).await, Next::Block(_)));
        }
        let offset = 5 * WAITING as u64;
        assert!(matches!(feed.next(offset).await, Next::Missed));
        // Where the local copy has failed meanwhile, it is waited for.
        assert_eq!(feed.offer(&block(), false), Offered::Full);
        feed.end();
        assert!(matches!(feed.next(offset + 5).await, Next::End));
        assert_eq!(feed.offer(&block(), false), Offered::Taken);
    }

    #[tokio::test]
    async fn what_is_told_to_stop_says_why_and_takes_nothing_more() {
        let feed = Feed::default();
        assert_eq!(feed.offer(&block(), false), Offered::Taken);
        feed.stop(Failure::new(Exit::Failed, "first"));
        feed.stop(Failure::new(Exit::Failed, "second"));
        assert!(matches!(feed.next(0).await, Next::Stop(failure) if failure.error == "first"));
        assert_eq!(feed.stopped().await.error, "first");
        assert_eq!(feed.offer(&block(), true), Offered::Closed);
        assert!(feed.is_closed() && !feed.is_hungry());
    }
}
