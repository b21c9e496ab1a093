//! A store that answers the completion with a conflict (409), which asks for the whole archive again. No server on this
//! machine does so by itself: the answer is put into the mouth of a real one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use e2e::bucket::Access;

use super::{Places, agent, in_parts, large};

const CONFLICT: &str = "<Error><Code>ConditionalRequestConflict</Code><Message>a concurrent write</Message></Error>";

/// The same store, of which the first so many completions of a multipart upload end in a conflict.
fn conflicting(store: &Access, completions: u32) -> Access {
    let server: SocketAddr = store.endpoint.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let left = Arc::new(AtomicU32::new(completions));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, left) = (client.unwrap(), Arc::clone(&left));
            // A client that breaks off is its own business.
            std::thread::spawn(move || drop(serve(client, server, &left)));
        }
    });
    Access { endpoint, ..store.clone() }
}

/// One request of one connection.
fn serve(mut client: TcpStream, server: SocketAddr, left: &AtomicU32) -> std::io::Result<()> {
    let head = read_head(&mut client)?;
    let header = |name: &str| {
        head.lines().find_map(|line| line.split_once(": ").filter(|(other, _)| other.eq_ignore_ascii_case(name)))
    };
    if header("expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = vec![0; header("content-length").map_or(0, |(_, length)| length.parse().unwrap())];
    client.read_exact(&mut body)?;
    let completes = head.starts_with("POST ") && head.lines().next().unwrap().contains("uploadId=");
    if completes && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        let length = CONFLICT.len();
        let answer =
            format!("HTTP/1.1 409 Conflict\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{CONFLICT}");
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

#[test]
fn a_conflict_on_completion_is_answered_by_a_second_dump() {
    let places = Places::new();
    let agent = in_parts(places.both_as(agent().database(large()), &conflicting(places.bucket.access(), 1)));
    agent.run(&["backup"]).succeeds().mentions("dumping again");
    places.directory_holds_one_good_backup();
    places.bucket_holds_one_backup();
}

#[test]
fn a_second_conflict_fails_the_bucket_alone() {
    let places = Places::new();
    let agent = in_parts(places.both_as(agent().database(large()), &conflicting(places.bucket.access(), 2)));
    let failed = agent.run(&["backup"]).exits(1).mentions("the backup is only partly done");
    failed.mentions("because of a concurrent one (409)").mentions("hint: run the backup again");
    places.directory_holds_one_good_backup();
    places.bucket_holds_the_mark_alone();
}
