//! A network that breaks where told: a TCP proxy in front of one real server, S3 or PostgreSQL.
//!
//! Faults are switched while it runs. It counts connections and bytes, and sees the request lines of plain HTTP/1.1 go by.

mod connection;
mod lane;
mod state;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use self::connection::Connection;
pub use self::state::{Direction, Fault, Request};
use self::state::{Now, State};

/// A running proxy on a free port of 127.0.0.1. Dropping it cuts every connection.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
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
            Fault::CutOnce(..)
            | Fault::Garble(..)
            | Fault::LoseAnswer(..)
            | Fault::StallAt(..)
            | Fault::Latency(_)
            | Fault::Rate(_) => false,
            Fault::Slow(_) => false,
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
        lane::forward(&connection, state);
    }
}
