//! The network that breaks where told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use e2e::bounds::{MOMENT, wait_until};
use e2e::bucket::{Bucket, wait};
use e2e::postgres::Postgres;
use e2e::process::output;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;

#[test]
fn bytes_pass_unchanged_while_nothing_is_wrong() {
    let proxy = Proxy::start(&echo());
    let sent: Vec<u8> = (0..1_000_000_u32).map(|i| (i * 31 % 251) as u8).collect();
    assert_eq!(exchange(&proxy, &sent), sent);
    assert_eq!(proxy.connections(), 1);
    assert_eq!(proxy.bytes(Direction::Up), 1_000_000);
    assert_eq!(proxy.bytes(Direction::Down), 1_000_000);
}

#[test]
fn a_connection_is_cut_at_the_byte_told_and_the_next_one_is_whole() {
    let proxy = Proxy::start(&echo());
    let sent = vec![7; 300_000];
    proxy.set(Fault::CutOnce(Direction::Down, 123_457));
    assert!(!proxy.has_struck());
    assert_eq!(exchange(&proxy, &sent).len(), 123_457);
    assert!(proxy.has_struck());
    assert_eq!(exchange(&proxy, &sent).len(), sent.len());
}

#[test]
fn a_network_that_went_away_stays_away_until_it_is_healed() {
    let proxy = Proxy::start(&echo());
    proxy.set(Fault::GoAway(Direction::Up, 100));
    assert_eq!(exchange(&proxy, &[7; 300]).len(), 0);
    // The proxy counts what it has written, and the other end may see it before.
    wait_until("a hundred bytes are counted", || proxy.bytes(Direction::Up) == 100);
    assert_eq!(exchange(&proxy, b"still away"), b"");
    proxy.heal();
    assert_eq!(exchange(&proxy, b"back"), b"back");
}

#[test]
fn a_stalled_network_moves_nothing_until_it_is_healed() {
    let proxy = Proxy::start(&echo());
    proxy.set(Fault::Stall(Direction::Up, 0));
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    client.write_all(b"hello").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(client.read(&mut [0; 5]).is_err());
    client.set_read_timeout(Some(MOMENT)).unwrap();
    proxy.heal();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
}

#[test]
fn latency_slows_every_answer() {
    let proxy = Proxy::start(&echo());
    proxy.set(Fault::Latency(Duration::from_millis(50)));
    let started = Instant::now();
    assert_eq!(exchange(&proxy, b"hello"), b"hello");
    assert!(started.elapsed() >= Duration::from_millis(100), "there and back");
}

#[test]
fn a_lost_answer_leaves_the_object_stored_and_the_client_trying_again() {
    let seaweedfs = Seaweedfs::shared();
    let bucket = Bucket::new(&seaweedfs.admin());
    let proxy = Proxy::start(&seaweedfs.admin().endpoint);
    let through = Bucket::existing(&seaweedfs.admin().through(&proxy), bucket.name());
    proxy.set(Fault::LoseAnswer("PUT", "/key"));
    let put = through.client().put_object().bucket(bucket.name()).key("key").if_none_match("*").send();
    // The first try was stored, so the second is refused: what a real client must be able to tell apart.
    assert_eq!(wait(put).unwrap_err().raw_response().unwrap().status().as_u16(), 412);
    assert!(proxy.has_struck());
    assert_eq!(bucket.keys(), ["key"]);
    let puts =
        proxy.requests().into_iter().filter(|request| request.method == "PUT" && request.target.contains("/key"));
    assert_eq!(puts.count(), 2);
}

#[test]
fn postgresql_answers_through_it() {
    let database = Postgres::shared().new_database("proxied");
    let proxy = Proxy::start(&format!("127.0.0.1:{}", database.server().port()));
    let mut psql = database.client(database.server().installation(), "psql");
    psql.env("PGPORT", proxy.address().port().to_string());
    assert_eq!(output(psql.args(["-XAtc", "SELECT 6 * 7"])).stdout, b"42\n");
    assert!(proxy.connections() > 0);
}

/// A server that sends back what it is sent.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            std::thread::spawn(move || std::io::copy(&mut connection.try_clone().unwrap(), &mut connection));
        }
    });
    address.to_string()
}

/// What comes back, until the end or a cut.
fn exchange(proxy: &Proxy, bytes: &[u8]) -> Vec<u8> {
    let client = TcpStream::connect(proxy.address()).unwrap();
    client.set_read_timeout(Some(MOMENT)).unwrap();
    let (mut reader, mut writer) = (client.try_clone().unwrap(), client);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Fails where the connection is cut; what came back tells.
            let _ = writer.write_all(bytes);
            let _ = writer.shutdown(std::net::Shutdown::Write);
        });
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer);
        answer
    })
}
