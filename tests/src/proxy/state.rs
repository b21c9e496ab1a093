//! What is wrong with the network now, and what has gone by.

use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;

use super::connection::Connection;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What goes wrong. Bytes are counted from when the fault is set, over all connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection that carries this byte is cut there, once; then all is well again.
    CutOnce(Direction, u64),
    /// Some thousands of bytes from this one on arrive as others, once; then all is well again.
    Garble(Direction, u64),
    /// At this byte the network goes away: every connection is cut, and new ones too, until the fault is lifted.
    GoAway(Direction, u64),
    /// From this byte on nothing moves either way, and no connection ends, until the fault is lifted.
    Stall(Direction, u64),
    /// From the next request of this method on, whose target holds this text, nothing moves either way, as with `Stall`.
    StallAt(&'static str, &'static str),
    /// The server acts on the next request of this method whose target holds this text, but its answer is lost with the
    /// connection. Once.
    LoseAnswer(&'static str, &'static str),
    /// Each chunk waits this long.
    Latency(Duration),
    /// So many bytes a second come from the server on each connection, and no more.
    Rate(u64),
    /// So many bytes a second go to the server on each connection, and no more.
    Slow(u64),
}

/// One HTTP request that went by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT` …
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
}

/// What the threads of all connections share.
pub(super) struct State {
    pub(super) now: Mutex<Now>,
    /// Told whenever the fault changes: stalled connections wait for it.
    pub(super) changed: Condvar,
    pub(super) connections: AtomicU64,
    pub(super) up: AtomicU64,
    pub(super) down: AtomicU64,
}

pub(super) struct Now {
    pub(super) fault: Fault,
    pub(super) closed: bool,
    /// Bytes in the fault's direction since it was set.
    pub(super) passed: u64,
    /// The living connections, so that they can be cut.
    pub(super) open: Vec<Weak<Connection>>,
    pub(super) requests: Vec<Request>,
}

impl State {
    pub(super) fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap()
    }

    pub(super) fn cut_if_away(&self) {
        let mut now = self.lock();
        if now.is_away() {
            now.cut_all();
        }
    }

    pub(super) fn counter(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }
}

impl Now {
    pub(super) fn cut_all(&mut self) {
        for connection in self.open.drain(..).filter_map(|connection| connection.upgrade()) {
            connection.cut();
        }
    }

    /// Whether new connections are cut at once.
    pub(super) fn is_away(&self) -> bool {
        matches!(self.fault, Fault::GoAway(_, after) if self.passed >= after)
    }
}
