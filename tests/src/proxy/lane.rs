//! The two threads of one connection, and what each fault does to the bytes that they carry.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::state::{Direction, Fault, Request, State};

/// A request line of S3 fits: a key has at most 1,024 bytes, tripled where all are escaped.
const REQUEST_LINE_LIMIT: usize = 8192;

/// Carries bytes both ways until either end closes, or a fault cuts it.
pub(super) fn forward(connection: &Arc<Connection>, state: &Arc<State>) {
    for direction in [Direction::Up, Direction::Down] {
        let mut lane = Lane {
            connection: Arc::clone(connection),
            direction,
            state: Arc::clone(state),
            line: Vec::new(),
            due: Instant::now(),
        };
        std::thread::spawn(move || lane.run());
    }
}

/// One direction of one connection.
struct Lane {
    connection: Arc<Connection>,
    direction: Direction,
    state: Arc<State>,
    /// The line that is going by, so far.
    line: Vec<u8>,
    /// When the next bytes may pass, where they have a rate.
    due: Instant,
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Cleanly,
    Cut,
}

/// How much of a chunk may pass, and what then.
struct Passage {
    bytes: usize,
    cut: bool,
    /// From here on it is garbage.
    garbled: Option<usize>,
}

/// Garbage is so long, so that it hits more than the inside of one message.
const GARBAGE: usize = 4096;

impl Lane {
    fn run(&mut self) {
        let connection = Arc::clone(&self.connection);
        let (from, to) = match self.direction {
            Direction::Up => (&connection.client, &connection.server),
            Direction::Down => (&connection.server, &connection.client),
        };
        match self.carry(from, to) {
            // The other way may still be answering.
            Ended::Cleanly => drop(to.shutdown(Shutdown::Write)),
            Ended::Cut => connection.cut(),
        }
    }

    fn carry(&mut self, mut from: &TcpStream, mut to: &TcpStream) -> Ended {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let chunk = match from.read(&mut buffer) {
                Ok(0) => return Ended::Cleanly,
                Ok(length) => &mut buffer[..length],
                Err(_) => return Ended::Cut,
            };
            match self.direction {
                Direction::Up => self.watch_for_requests(chunk),
                Direction::Down if self.loses(chunk) => return Ended::Cut,
                Direction::Down => self.connection.answered.store(true, Ordering::Relaxed),
            }
            let passage = self.wait_for_passage(chunk.len());
            if let Some(at) = passage.garbled {
                chunk[at..].iter_mut().take(GARBAGE).for_each(|byte| *byte = 0xff);
            }
            let sent = to.write_all(&chunk[..passage.bytes]);
            self.state.counter(self.direction).fetch_add(passage.bytes as u64, Ordering::Relaxed);
            if passage.cut {
                self.state.cut_if_away();
            }
            if passage.cut || sent.is_err() {
                return Ended::Cut;
            }
        }
    }

    /// Whether this is the answer to be lost, and not only the server's leave to send the body.
    fn loses(&self, chunk: &[u8]) -> bool {
        self.connection.loses_answer.load(Ordering::Relaxed) && !chunk.starts_with(b"HTTP/1.1 100")
    }

    fn wait_for_passage(&mut self, length: usize) -> Passage {
        let state = Arc::clone(&self.state);
        let mut now = state.lock();
        loop {
            let whole = Passage { bytes: length, cut: now.closed, garbled: None };
            match now.fault {
                Fault::None | Fault::LoseAnswer(..) | Fault::StallAt(..) => return whole,
                Fault::Latency(latency) => {
                    drop(now);
                    std::thread::sleep(latency);
                    return whole;
                }
                Fault::Rate(_) if self.direction == Direction::Up => return whole,
                Fault::Slow(_) if self.direction == Direction::Down => return whole,
                Fault::Rate(rate) | Fault::Slow(rate) => {
                    drop(now);
                    self.due = self.due.max(Instant::now()) + Duration::from_secs_f64(length as f64 / rate as f64);
                    std::thread::sleep(self.due.saturating_duration_since(Instant::now()));
                    return whole;
                }
                Fault::Stall(_, after) if now.passed >= after && !now.closed => {
                    now = state.changed.wait(now).unwrap();
                }
                // Not even the answer to what has just passed.
                Fault::GoAway(..) if now.is_away() => return Passage { bytes: 0, cut: true, garbled: None },
                Fault::CutOnce(direction, _)
                | Fault::Garble(direction, _)
                | Fault::GoAway(direction, _)
                | Fault::Stall(direction, _)
                    if direction != self.direction =>
                {
                    return whole;
                }
                Fault::Stall(..) => {
                    now.passed += length as u64;
                    return whole;
                }
                Fault::CutOnce(_, after) | Fault::Garble(_, after) | Fault::GoAway(_, after) => {
                    let left = after.saturating_sub(now.passed);
                    if (length as u64) < left {
                        now.passed += length as u64;
                        return whole;
                    }
                    now.passed = after;
                    let fault = now.fault;
                    if !matches!(fault, Fault::GoAway(..)) {
                        now.fault = Fault::None;
                    }
                    if matches!(fault, Fault::Garble(..)) {
                        return Passage { garbled: Some(left as usize), ..whole };
                    }
                    return Passage { bytes: left as usize, cut: true, garbled: None };
                }
            }
        }
    }

    /// Finds request lines at the beginnings of lines. A body may hold one by chance only if it is HTTP itself.
    fn watch_for_requests(&mut self, chunk: &[u8]) {
        if self.connection.answered.swap(false, Ordering::Relaxed) {
            self.line.clear();
        }
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.keep(&rest[..end]);
            self.note_request();
            self.line.clear();
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    fn keep(&mut self, part: &[u8]) {
        let room = REQUEST_LINE_LIMIT - self.line.len();
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn note_request(&mut self) {
        let Some(request) = std::str::from_utf8(&self.line).ok().and_then(parse_request_line) else { return };
        let mut now = self.state.lock();
        let is_meant = |method, text| request.method == method && request.target.contains(text);
        if matches!(now.fault, Fault::LoseAnswer(method, text) if is_meant(method, text)) {
            now.fault = Fault::None;
            self.connection.loses_answer.store(true, Ordering::Relaxed);
        } else if matches!(now.fault, Fault::StallAt(method, text) if is_meant(method, text)) {
            (now.fault, now.passed) = (Fault::Stall(Direction::Up, 0), 0);
        }
        now.requests.push(request);
    }
}

fn parse_request_line(line: &str) -> Option<Request> {
    let (method, target) = line.strip_suffix(" HTTP/1.1\r")?.split_once(' ')?;
    let known = ["GET", "PUT", "POST", "HEAD", "DELETE"].contains(&method);
    known.then(|| Request { method: method.to_owned(), target: target.to_owned() })
}
