//! A store into whose mouth some answers are put: no server on this machine gives them by itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use e2e::bucket::Access;

/// A status, such as `409 Conflict`, and a body.
pub(crate) type Answer = (&'static str, &'static str);

/// The same store, but for the requests to whose first line `answer` has one of its own. It isn't asked those.
pub(crate) fn answering(store: &Access, answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> Access {
    let server: SocketAddr = store.endpoint.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, answer) = (client.unwrap(), Arc::clone(&answer));
            // A client that breaks off is its own business.
            std::thread::spawn(move || drop(serve(client, server, &*answer)));
        }
    });
    Access { endpoint, ..store.clone() }
}

/// One request of one connection.
fn serve(mut client: TcpStream, server: SocketAddr, answer: &dyn Fn(&str) -> Option<Answer>) -> std::io::Result<()> {
    let head = read_head(&mut client)?;
    let header = |name: &str| {
        head.lines().find_map(|line| line.split_once(": ").filter(|(other, _)| other.eq_ignore_ascii_case(name)))
    };
    if header("expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = vec![0; header("content-length").map_or(0, |(_, length)| length.parse().unwrap())];
    client.read_exact(&mut body)?;
    if let Some((status, text)) = answer(head.lines().next().unwrap()) {
        let length = text.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}");
        return client.write_all(answer.as_bytes());
    }
    let mut lines: Vec<_> = head.lines().filter(|line| !line.to_lowercase().starts_with("expect:")).collect();
    lines.retain(|line| !line.is_empty());
    let mut server = TcpStream::connect(server)?;
    write!(server, "{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"))?;
    server.write_all(&body)?;
    std::io::copy(&mut server, &mut client).map(drop)
}

fn read_head(client: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8(head).unwrap())
}
