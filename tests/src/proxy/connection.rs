//! What a client takes for one connection.

use std::net::{Shutdown, TcpStream};
use std::sync::atomic::AtomicBool;

/// The two ends of what a client takes for one connection.
pub(super) struct Connection {
    pub(super) client: TcpStream,
    pub(super) server: TcpStream,
    /// Set by the lane that sees the request, obeyed by the one that sees its answer.
    pub(super) loses_answer: AtomicBool,
    /// The server has spoken since the client did: a new request begins, whatever the body before it ended with.
    pub(super) answered: AtomicBool,
}

impl Connection {
    pub(super) fn new(client: TcpStream, server: TcpStream) -> Connection {
        Connection { client, server, loses_answer: AtomicBool::new(false), answered: AtomicBool::new(false) }
    }

    /// Ends it at once, both ways. An end that is closed already stays so.
    pub(super) fn cut(&self) {
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }
}
