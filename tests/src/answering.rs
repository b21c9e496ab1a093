//! Something between a client and a store that reads each request and may treat it in a way of its own: no server on this
//! machine gives such answers, or loses them, by itself.
//!
//! Plain HTTP on the loopback, a connection for each request. It keeps bodies in memory.

mod exchange;
mod request;
mod treatment;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use self::request::Request;
pub use self::treatment::{Share, Treatment, Way};
use crate::bucket::Access;

/// A status, such as `409 Conflict`, and a body.
pub type Answer = (&'static str, &'static str);

/// It stands there until it is dropped.
pub struct StandIn {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl StandIn {
    /// Stands in front of this store, and treats each request as `treat` says.
    pub fn start(store: &Access, treat: impl Fn(&Request) -> Treatment + Send + Sync + 'static) -> StandIn {
        let server: SocketAddr = store.endpoint.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (treat, over) = (Arc::new(treat), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&over);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), treat) = (client, Arc::clone(&treat)) else { continue };
                // A client that breaks off is its own business.
                std::thread::spawn(move || drop(exchange::serve(client, server, &*treat)));
            }
        });
        StandIn { address, over }
    }

    /// The store by way of it.
    pub fn access(&self, store: &Access) -> Access {
        Access { endpoint: format!("http://{}", self.address), ..store.clone() }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// The same store, but for the requests to whose first line `answer` has one of its own. It isn't asked those. For as long as the
/// process lives.
pub fn answering(store: &Access, answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> Access {
    let treat = move |request: &Request| match answer(&request.line) {
        Some((status, body)) => Treatment::answer(status, body),
        None => Treatment::Pass,
    };
    let stand_in = StandIn::start(store, treat);
    let access = stand_in.access(store);
    std::mem::forget(stand_in);
    access
}
