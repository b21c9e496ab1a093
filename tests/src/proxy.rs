//! A network that breaks where told: a TCP proxy in front of one real server, S3 or PostgreSQL.
//!
//! Faults are switched while it runs. It counts connections and bytes, and sees the request lines of plain HTTP/1.1 go by.

mod connection;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;

use self::connection::Connection;

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
    /// At this byte the network goes away: every connection is cut, and new ones too, until the fault is lifted.
    GoAway(Direction, u64),
    /// From this byte on nothing moves either way, and no connection ends, until the fault is lifted.
    Stall(Direction, u64),
    /// The server acts on the next request of this method whose target holds this text, but its answer is lost with the
    /// connection. Once.
    LoseAnswer(&'static str, &'static str),
    /// Each chunk waits this long.
    Latency(Duration),
}

/// One HTTP request that went by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT` …
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
}

/// A running proxy on a free port of 127.0.0.1. Dropping it cuts every connection.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
}

/// What the threads of all connections share.
struct State {
    now: Mutex<Now>,
    /// Told whenever the fault changes: stalled connections wait for it.
    changed: Condvar,
    connections: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
}

struct Now {
    fault: Fault,
    closed: bool,
    /// Bytes in the fault's direction since it was set.
    passed: u64,
    /// The living connections, so that they can be cut.
    open: Vec<Weak<Connection>>,
    requests: Vec<Request>,
}

impl Proxy {
    /// A proxy in front of `server`, such as `127.0.0.1:5432` or `http://127.0.0.1:8333`.
    pub fn start(server: &str) -> Proxy {
        let server: SocketAddr = server.trim_start_matches("http://").parse().expect("an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let now = Now { fault: Fault::None, closed: false, passed: 0, open: Vec::new(), requests: Vec::new() };
        let state = Arc::new(State {
            now: Mutex::new(now),
            changed: Condvar::new(),
            connections: AtomicU64::new(0),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || accept(&listener, server, &shared));
        Proxy { address, state }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this goes wrong, and nothing else.
    pub fn set(&self, fault: Fault) {
        let mut now = self.state.lock();
        now.fault = fault;
        now.passed = 0;
        self.state.changed.notify_all();
    }

    /// All is well again. What was cut stays cut.
    pub fn heal(&self) {
        self.set(Fault::None);
    }

    /// Whether a fault that happens once, or from some byte on, has happened.
    pub fn has_struck(&self) -> bool {
        let now = self.state.lock();
        match now.fault {
            Fault::None => true,
            Fault::GoAway(_, after) | Fault::Stall(_, after) => now.passed >= after,
            Fault::CutOnce(..) | Fault::LoseAnswer(..) | Fault::Latency(_) => false,
        }
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Bytes forwarded so far.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.state.counter(direction).load(Ordering::Relaxed)
    }

    /// The HTTP requests so far, in the order of their first lines.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().requests.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.state.lock().requests.clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut now = self.state.lock();
        now.closed = true;
        now.cut_all();
        self.state.changed.notify_all();
        drop(now);
        // Wakes the thread that accepts, which then sees that it's over.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap()
    }

    fn cut_if_away(&self) {
        let mut now = self.lock();
        if now.is_away() {
            now.cut_all();
        }
    }

    fn counter(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }
}

impl Now {
    fn cut_all(&mut self) {
        for connection in self.open.drain(..).filter_map(|connection| connection.upgrade()) {
            connection.cut();
        }
    }

    /// Whether new connections are cut at once.
    fn is_away(&self) -> bool {
        matches!(self.fault, Fault::GoAway(_, after) if self.passed >= after)
    }
}

fn accept(listener: &TcpListener, server: SocketAddr, state: &Arc<State>) {
    for client in listener.incoming() {
        let Ok(client) = client else { continue };
        let mut now = state.lock();
        if now.closed {
            return;
        }
        state.connections.fetch_add(1, Ordering::Relaxed);
        if now.is_away() {
            continue;
        }
        let Ok(server) = TcpStream::connect(server) else { continue };
        let connection = Arc::new(Connection::new(client, server));
        now.open.retain(|connection| connection.strong_count() > 0);
        now.open.push(Arc::downgrade(&connection));
        drop(now);
        connection::forward(&connection, state);
    }
}
