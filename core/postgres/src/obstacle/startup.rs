//! The first words of PostgreSQL's protocol, without TLS and without a password.
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>

use std::io::{Read as _, Write as _};

use super::address::{Address, Stream};
use crate::Connection;

/// SSLRequest.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// Version 3.0, as in StartupMessage.
const VERSION: [u8; 4] = [0, 3, 0, 0];
/// Bytes of what another protocol says that are looked at.
const LOOKED_AT: usize = 64;
/// No message that comes before the first question is longer.
const LONGEST: usize = 64 << 10;
/// Messages that come before the server waits for a question.
const MESSAGES: usize = 100;

/// What is answered to the question for TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    Yes,
    No,
    /// A socket of this machine, which has none.
    Local,
    /// What answers isn't PostgreSQL.
    Foreign,
    /// It says nothing.
    Silent,
}

/// What is answered to a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The SQLSTATE of the refusal.
    pub(super) state: Option<String>,
    /// It wants a password.
    pub(super) wants_password: bool,
    /// It believes that we are who we say.
    pub(super) is_admitted: bool,
}

impl Address {
    /// Whether the server speaks TLS.
    pub(super) fn tls(&self) -> Tls {
        if self.is_socket() {
            return Tls::Local;
        }
        let Ok(mut stream) = self.connect() else { return Tls::Silent };
        let mut answer = [0; LOOKED_AT];
        match stream.write_all(&SSL_REQUEST).and_then(|()| stream.read(&mut answer)) {
            Ok(length) => match answer.get(..length) {
                Some(b"S") => Tls::Yes,
                Some(b"N") => Tls::No,
                // A server so busy that it refuses at once.
                Some([b'E', 0, ..]) => Tls::No,
                _ => Tls::Foreign,
            },
            Err(_) => Tls::Silent,
        }
    }

    /// What the server says to the role and the database of `connection`.
    pub(super) fn startup(&self, connection: &Connection) -> Said {
        let role = connection.get("PGUSER").unwrap_or("postgres");
        let mut words = VERSION.to_vec();
        for text in ["user", role, "database", connection.database().unwrap_or(role)] {
            words.extend_from_slice(text.as_bytes());
            words.push(0);
        }
        words.push(0);
        let length = u32::try_from(words.len() + 4).unwrap_or(0).to_be_bytes();
        let Ok(mut stream) = self.connect() else { return Said::default() };
        if stream.write_all(&length).and_then(|()| stream.write_all(&words)).is_err() {
            return Said::default();
        }
        listen(stream.as_mut())
    }
}

/// Reads until the server refuses, wants an answer, or is ready.
fn listen(stream: &mut dyn Stream) -> Said {
    let mut said = Said::default();
    for _ in 0..MESSAGES {
        let Some((kind, body)) = message(stream) else { break };
        match (kind, body.get(..4)) {
            (b'R', Some([0, 0, 0, 0])) => said.is_admitted = true,
            (b'R', Some([0, 0, 0, 3 | 5 | 10])) => {
                said.wants_password = true;
                break;
            }
            (b'E', _) => {
                said.state = state(&body);
                break;
            }
            (b'S' | b'K' | b'N', _) => {}
            _ => break,
        }
    }
    said
}

fn message(stream: &mut dyn Stream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).ok()?;
    let [kind, length @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?.checked_sub(4)?;
    if length > LONGEST {
        return None;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((kind, body))
}

/// The field `C` of an ErrorResponse.
fn state(body: &[u8]) -> Option<String> {
    let fields = body.split(|byte| *byte == 0);
    let code = fields.filter_map(|field| field.split_first()).find(|(kind, _)| **kind == b'C')?.1;
    Some(String::from_utf8_lossy(code).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Says `words` to whoever comes, after having heard something.
    fn server(words: &'static [u8]) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut heard = [0; 256];
                let _ = stream.read(&mut heard);
                let _ = stream.write_all(words);
            }
        });
        Address::Tcp { host: "127.0.0.1".to_owned(), port }
    }

    #[test]
    fn other_protocols_are_told_from_a_server_with_and_without_tls() {
        for (words, tls) in [
            (&b"S"[..], Tls::Yes),
            (b"N", Tls::No),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Tls::Foreign),
            (b"HTTP/1.1 400 Bad Request\r\n", Tls::Foreign),
            (b"", Tls::Foreign),
        ] {
            assert_eq!(server(words).tls(), tls, "{words:?}");
        }
    }

    #[test]
    fn a_refusal_is_read_by_its_code_in_any_language() {
        let refusal = b"E\0\0\0\x2eSFATAL\0VFATAL\0C57P03\0MDer Server startet\0\0";
        let said = server(refusal).startup(&Connection::default());
        assert_eq!(said.state.as_deref(), Some("57P03"));
        let asks = server(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").startup(&Connection::default());
        assert!(asks.wants_password && asks.state.is_none());
        let unknown = server(b"R\0\0\0\x08\0\0\0\0E\0\0\0\x16SFATAL\0C3D000\0Mx\0\0");
        let unknown = unknown.startup(&Connection::default());
        assert_eq!((unknown.is_admitted, unknown.state.as_deref()), (true, Some("3D000")));
    }
}
