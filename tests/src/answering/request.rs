//! One request, as it came.

use std::io::{Read, Result, Write};
use std::net::TcpStream;

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its first line.
    pub line: String,
    /// Its headers: names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads one to its end, and lets the client send the body.
    pub(super) fn read(client: &mut TcpStream) -> Result<Request> {
        let head = read_head(client)?;
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let mut request = Request { line, headers: lines.filter_map(header).collect(), body: Vec::new() };
        if request.header("expect").is_some() {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = vec![0; request.header("content-length").map_or(0, |length| length.parse().unwrap())];
        client.read_exact(&mut request.body)?;
        Ok(request)
    }

    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `GET`, `PUT` …
    pub fn method(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }

    /// Path and query, as sent.
    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// As it goes on to the store, on a connection of its own.
    pub(super) fn head(&self) -> String {
        let kept = self.headers.iter().filter(|(name, _)| !["expect", "connection"].contains(&name.as_str()));
        let headers: String = kept.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\n{headers}connection: close\r\n\r\n", self.line)
    }
}

/// Byte by byte: what follows is the body's.
pub(super) fn read_head(from: &mut impl Read) -> Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        from.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
