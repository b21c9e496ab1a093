//! A store that refuses one step of a backup: its answer is put into the mouth of a real one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use e2e::bucket::Access;

const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>not this</Message></Error>";

/// A step at which a place fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Upload,
    Completion,
    Manifest,
}

pub(super) const STEPS: [Step; 3] = [Step::Upload, Step::Completion, Step::Manifest];

impl Step {
    fn is(self, first_line: &str) -> bool {
        match self {
            Self::Upload => first_line.starts_with("PUT ") && first_line.contains("partNumber="),
            Self::Completion => first_line.starts_with("POST ") && first_line.contains("uploadId="),
            Self::Manifest => first_line.starts_with("PUT ") && first_line.contains(".manifest.json"),
        }
    }
}

/// The same store, which denies this step.
pub(super) fn refusing(store: &Access, step: Step) -> Access {
    let server: SocketAddr = store.endpoint.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            // A client that breaks off is its own business.
            std::thread::spawn(move || drop(serve(client, server, step)));
        }
    });
    Access { endpoint, ..store.clone() }
}

/// One request of one connection.
fn serve(mut client: TcpStream, server: SocketAddr, step: Step) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        head.lines().find_map(|line| line.split_once(": ").filter(|(other, _)| other.eq_ignore_ascii_case(name)))
    };
    if header("expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = vec![0; header("content-length").map_or(0, |(_, length)| length.parse().unwrap())];
    client.read_exact(&mut body)?;
    if step.is(head.lines().next().unwrap()) {
        let length = DENIED.len();
        let answer = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{DENIED}");
        return client.write_all(answer.as_bytes());
    }
    let mut lines: Vec<_> = head.lines().filter(|line| !line.to_lowercase().starts_with("expect:")).collect();
    lines.retain(|line| !line.is_empty());
    let mut server = TcpStream::connect(server)?;
    write!(server, "{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"))?;
    server.write_all(&body)?;
    std::io::copy(&mut server, &mut client).map(drop)
}
