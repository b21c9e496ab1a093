//! What becomes of a request.

use std::time::Duration;

/// How far something gets before the connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// A few bytes of the head.
    First,
    /// Half.
    Middle,
    /// All but the last byte.
    Last,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The client's words.
    Request,
    /// The store's.
    Answer,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// What it asks for.
    Pass,
    /// The store isn't asked, and these bytes come back.
    Say(Vec<u8>),
    /// The connection ends when so much has gone by.
    Cut(Way, Share),
    /// The store acts, and the connection ends without a word.
    Lose,
    /// Nothing comes back, for as long as the client waits; the store isn't asked.
    Stall,
    /// The store acts, and its answer comes in pieces over so long a time.
    Slow(Duration),
    /// One bit in the middle of the body is another.
    Flip(Way),
    /// The store acts, and its answer comes twice.
    Twice,
    /// The store acts, and the second half of its answer's body lacks, with a head that says so.
    Half,
    /// The store acts, and its listing says that there is more, and not where.
    Endless,
}

impl Treatment {
    /// The store isn't asked, and this comes back: a status, such as `409 Conflict`, and a body.
    pub fn answer(status: &str, body: &str) -> Treatment {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        Treatment::Say((head + body).into_bytes())
    }
}

impl Share {
    /// So many of `length` bytes.
    pub(super) fn of(self, length: usize) -> usize {
        match self {
            Share::First => length.min(10),
            Share::Middle => length / 2,
            Share::Last => length.saturating_sub(1),
        }
    }
}
