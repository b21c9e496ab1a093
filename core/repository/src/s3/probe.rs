//! Asking an address directly what it speaks, when a request got no answer that makes sense. Nothing of ours is sent but a
//! greeting.

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a machine may take to say what it speaks.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a greeting that are looked at.
const GREETING: usize = 64;
/// A ClientHello of TLS 1.2 with one cipher, up to its random bytes and from there on: whoever speaks TLS answers with a handshake
/// or an alert.
const HELLO: [&[u8]; 3] = [&[0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3], &[0x5a; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0, 0, 0]];

/// Where an endpoint's URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) tls: bool,
    pub(crate) host: String,
    port: u16,
}

/// What an address says to a request.
pub(crate) enum Greeting {
    Http,
    /// Another protocol's words.
    Words(String),
    Nothing,
}

impl Address {
    /// Of `https://host:port/…`; a login before the host is left out.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let tls = scheme.eq_ignore_ascii_case("https");
        let place = rest.split(['/', '?', '#']).next()?;
        let place = place.rsplit('@').next()?;
        let usual = if tls { 443 } else { 80 };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (place, usual),
        };
        (!host.is_empty()).then(|| Self { tls, host: host.trim_matches(['[', ']']).to_owned(), port })
    }

    /// Whether TLS is spoken there.
    pub(crate) async fn speaks_tls(&self) -> bool {
        let answer = self.say(&HELLO.concat()).await.unwrap_or_default();
        matches!(answer.as_slice(), [0x15 | 0x16, 3, ..])
    }

    /// What is said there to a plain request.
    pub(crate) async fn greeting(&self) -> Greeting {
        let answer = self.say(b"HEAD / HTTP/1.0\r\n\r\n").await.unwrap_or_default();
        if answer.starts_with(b"HTTP/") {
            return Greeting::Http;
        }
        let text = String::from_utf8_lossy(&answer);
        let words: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        if words.trim().is_empty() || words.contains(char::REPLACEMENT_CHARACTER) {
            return Greeting::Nothing;
        }
        Greeting::Words(words)
    }

    async fn say(&self, words: &[u8]) -> Option<Vec<u8>> {
        let talk = async {
            let mut connection = TcpStream::connect((self.host.as_str(), self.port)).await.ok()?;
            connection.write_all(words).await.ok()?;
            let mut answer = vec![0; GREETING];
            let length = connection.read(&mut answer).await.ok()?;
            answer.truncate(length);
            Some(answer)
        };
        tokio::time::timeout(PATIENCE, talk).await.ok().flatten()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}://{host}:{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_and_no_login() {
        for (url, shown) in [
            ("https://s3.example", "https://s3.example:443"),
            ("http://s3.example:9000/", "http://s3.example:9000"),
            ("https://key:hush@s3.example/path", "https://s3.example:443"),
            ("http://[::1]:8333", "http://[::1]:8333"),
            ("http://[::1]/", "http://[::1]:80"),
        ] {
            assert_eq!(Address::of(url).unwrap().to_string(), shown);
        }
        assert_eq!(Address::of("s3.example"), None);
    }

    #[test]
    fn the_hello_is_as_long_as_it_says() {
        assert_eq!(HELLO.concat().len(), 5 + 47);
    }
}
