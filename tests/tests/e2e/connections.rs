//! A connection that fails says why, at once and by name, at the store and at the database.

mod database;
mod store;
pub(crate) mod tls;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use e2e::agent::{Agent, Outcome};

/// The longest that a mistake may take to show; every pause would be longer.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Runs what must fail at once: with this exit status, and words of the error and the hint.
#[track_caller]
fn fails(agent: &Agent, arguments: &[&str], exit: i32, words: &[&str]) -> Outcome {
    // Which may have to be built first.
    e2e::agent::binary();
    let started = Instant::now();
    let outcome = agent.run(arguments);
    assert!(started.elapsed() < AT_ONCE, "{:?}\n{outcome}", started.elapsed());
    words.iter().fold(outcome.exits(exit), |outcome, words| outcome.mentions(words)).keeps_silent_about("trying again")
}

/// The port of a server that says these words to whoever said something. It lives as long as the test binary.
fn server_that_says(words: impl Into<Vec<u8>>) -> u16 {
    let (listener, words) = (TcpListener::bind("127.0.0.1:0").unwrap(), words.into());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, words) = (connection.unwrap(), words.clone());
            std::thread::spawn(move || {
                let mut heard = [0; 16 << 10];
                while connection.read(&mut heard).is_ok_and(|length| length > 0) {
                    let _ = connection.write_all(&words);
                    if words.starts_with(b"SSH") {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// A port that nothing listens at.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Longer than any name may be: no name service has to be asked for it.
fn no_host() -> String {
    format!("{}.example", "a".repeat(70))
}
