//! One request and its answer, and what each treatment does to them.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::request::{Request, read_head};
use super::treatment::{Treatment, Way};

/// Into how many pieces a slow answer is cut.
const PIECES: u32 = 20;

/// What a store answered.
struct Reply {
    head: String,
    body: Vec<u8>,
}

/// One request of one connection.
pub(super) fn serve(mut client: TcpStream, server: SocketAddr, treat: &dyn Fn(&Request) -> Treatment) -> Result<()> {
    let mut request = Request::read(&mut client)?;
    match treat(&request) {
        Treatment::Say(bytes) => client.write_all(&bytes),
        // Until the client goes.
        Treatment::Stall => client.read(&mut [0]).map(drop),
        Treatment::Cut(Way::Request, share) => {
            let mut bytes = request.head().into_bytes();
            bytes.extend_from_slice(&request.body);
            let mut server = TcpStream::connect(server)?;
            server.write_all(&bytes[..share.of(bytes.len())])?;
            server.shutdown(Shutdown::Both)
        }
        Treatment::Flip(Way::Request) => {
            flip(&mut request.body);
            client.write_all(&ask(server, &request)?.bytes())
        }
        treatment => answer(client, ask(server, &request)?, &treatment),
    }
}

fn answer(mut client: TcpStream, mut reply: Reply, treatment: &Treatment) -> Result<()> {
    match treatment {
        Treatment::Cut(_, share) => {
            let bytes = reply.bytes();
            client.write_all(&bytes[..share.of(bytes.len())])
        }
        Treatment::Lose => Ok(()),
        Treatment::Slow(time) => {
            let bytes = reply.bytes();
            for piece in bytes.chunks(bytes.len().div_ceil(PIECES as usize).max(1)) {
                client.write_all(piece)?;
                std::thread::sleep(*time / PIECES);
            }
            Ok(())
        }
        Treatment::Twice => client.write_all(&[reply.bytes(), reply.bytes()].concat()),
        Treatment::Flip(_) => {
            flip(&mut reply.body);
            client.write_all(&reply.bytes())
        }
        Treatment::Half => {
            reply.body.truncate(reply.body.len() / 2);
            client.write_all(&reply.with_length().bytes())
        }
        Treatment::Endless => {
            let text = String::from_utf8_lossy(&reply.body);
            let text = text.replace("<IsTruncated>false<", "<IsTruncated>true<");
            client.write_all(&Reply { body: text.into_bytes(), ..reply }.with_length().bytes())
        }
        _ => client.write_all(&reply.bytes()),
    }
}

/// Asks the store, and reads its answer to the end.
fn ask(server: SocketAddr, request: &Request) -> Result<Reply> {
    let mut server = TcpStream::connect(server)?;
    server.write_all(request.head().as_bytes())?;
    server.write_all(&request.body)?;
    let mut head = read_head(&mut server)?;
    while head.starts_with("HTTP/1.1 100") {
        head = read_head(&mut server)?;
    }
    let mut body = Vec::new();
    server.read_to_end(&mut body)?;
    let chunked = head.to_lowercase().contains("\r\ntransfer-encoding: chunked\r\n");
    let reply = Reply { head, body };
    Ok(if chunked { Reply { body: joined(&reply.body), ..reply }.with_length() } else { reply })
}

impl Reply {
    fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }

    /// With a head that tells the body's length.
    fn with_length(self) -> Reply {
        let is_kept = |line: &&str| {
            let line = line.to_lowercase();
            !line.is_empty() && !line.starts_with("content-length:") && !line.starts_with("transfer-encoding:")
        };
        let head: String = self.head.lines().filter(is_kept).flat_map(|line| [line, "\r\n"]).collect();
        Reply { head: format!("{head}content-length: {}\r\n\r\n", self.body.len()), body: self.body }
    }
}

/// A body that came in chunks, whole.
fn joined(mut chunked: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = memchr::memmem::find(chunked, b"\r\n") {
        let size = String::from_utf8_lossy(&chunked[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
        let rest = &chunked[end + 2..];
        if size == 0 || rest.len() < size {
            break;
        }
        body.extend_from_slice(&rest[..size]);
        chunked = rest.get(size + 2..).unwrap_or_default();
    }
    body
}

fn flip(body: &mut [u8]) {
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 1;
    }
}
