//! Ports that no other test is given.

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below Linux's ephemeral ports (32768 and up), so that no client's outgoing connection sits on one meanwhile.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A free port of 127.0.0.1, never given twice in this process, nor to another run of the tests while this one lasts: between
/// the look at a port and its server's own listening both would find it free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static TAKEN: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    let start = (std::process::id().wrapping_mul(97) % u32::from(COUNT)) as u16;
    let take = |port: u16| {
        let mark = mark(port)?;
        TcpListener::bind(("127.0.0.1", port)).ok()?;
        TAKEN.lock().unwrap().push(mark);
        Some(port)
    };
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find_map(take)
        .expect("a free port between 20000 and 31999")
}

/// What one process alone can have, until it ends however: a socket of this name, which is no file.
fn mark(port: u16) -> Option<UnixListener> {
    let name = SocketAddr::from_abstract_name(format!("lastgood-tests-port-{port}")).unwrap();
    UnixListener::bind_addr(&name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_another_run_was_given_is_passed_over() {
        let mine = free_port();
        assert!(mark(mine).is_none());
        assert_ne!(free_port(), mine);
    }
}
