//! The healthcheck that a backup tells how it went.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use e2e::bucket::{Access, Bucket};
use e2e::ministack::Ministack;
use e2e::seaweedfs::Seaweedfs;
use serde_json::json;

use super::{Places, agent, small};
use crate::policies::user;

/// A monitor on a port of its own, which writes down every ping: path, newline, body.
pub(crate) fn monitor() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/uuid", listener.local_addr().unwrap());
    let pings = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&pings);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                let length = connection.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..length]);
            }
            let text = String::from_utf8(request).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            written.lock().unwrap().push(format!("{}\n{body}", head.split(' ').nth(1).unwrap()));
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    (url, pings)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

#[test]
fn start_and_success_are_told() {
    let (url, pings) = monitor();
    let places = Places::new();
    let agent = agent().database(small()).directory(&places.directory()).setting("BACKUP_HEALTHCHECK_URL", url);
    agent.run(&["backup"]).succeeds();
    assert_eq!(*pings.lock().unwrap(), ["/uuid/start\n", "/uuid\n"]);
    agent.run(&["backup", "--dry-run"]).succeeds();
    assert_eq!(pings.lock().unwrap().len(), 2, "a dry run is no backup");
}

#[test]
fn a_failure_is_told_with_its_text_also_where_only_a_part_was_done() {
    let (url, pings) = monitor();
    let places = Places::new();
    let agent = agent().database(small()).directory(&places.directory()).setting("BACKUP_HEALTHCHECK_URL", url);
    let partly = agent.bucket(places.bucket.name(), &Seaweedfs::shared().reader());
    partly.run(&["backup"]).exits(1);
    let told = pings.lock().unwrap().clone();
    assert!(told[1].starts_with("/uuid/fail\nthe backup is only partly done: s3://"), "{told:?}");
    assert!(told[1].contains("\nhint: "), "{told:?}");

    partly.setting("DB_PORT", "1").run(&["backup", "--all-databases"]).exits(1);
    let told = pings.lock().unwrap().clone();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].starts_with("/uuid/fail\ncannot connect to "), "{told:?}");
}

#[test]
fn a_failure_may_have_a_url_of_its_own() {
    let (url, pings) = monitor();
    let places = Places::new();
    let agent = agent().database(small()).directory(&places.directory()).setting("BACKUP_HEALTHCHECK_FAIL_URL", url);
    agent.setting("DB_NAME", "nothing").run(&["backup"]).exits(5);
    let told = pings.lock().unwrap().clone();
    assert!(told.len() == 1 && told[0].starts_with("/uuid\ncannot connect to database nothing"), "{told:?}");
}

#[test]
fn a_monitor_that_is_away_fails_no_backup_and_its_url_stays_secret() {
    let places = Places::new();
    let agent = agent().database(small()).directory(&places.directory());
    let agent = agent.setting("BACKUP_HEALTHCHECK_URL", "http://127.0.0.1:1/very-secret-uuid");
    let done = agent.run(&["backup"]).succeeds().mentions("warning: cannot send the healthcheck ping");
    done.keeps_silent_about("very-secret-uuid");
    places.directory_holds_one_good_backup();
}

#[test]
fn a_manifest_that_is_refused_fails_the_run_and_leaves_no_backup() {
    let (url, pings) = monitor();
    let bucket = Bucket::new(&Ministack::shared().root());
    // The archive may be put, and what makes it a backup may not.
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{}/*.manifest.json", bucket.name())},
    ]});
    let refused = user("without-manifests", &policy);
    let agent = |access: &Access| agent().database(small()).bucket(bucket.name(), access);
    let failing = agent(&refused).setting("BACKUP_HEALTHCHECK_URL", url);
    failing.run(&["backup", "--name", "first"]).exits(1).mentions("AccessDenied").mentions(".manifest.json");
    let told = pings.lock().unwrap().clone();
    assert!(told.len() == 2 && told[1].starts_with("/uuid/fail\n"), "{told:?}");
    let list = |access: &Access| agent(access).run(&["list"]);
    list(bucket.access()).succeeds().mentions("unfinished").keeps_silent_about("uploaded");
    agent(bucket.access()).run(&["backup", "--name", "second"]).succeeds();
    list(bucket.access()).succeeds().mentions("unfinished").mentions("_backup_second");
    agent(bucket.access())
        .run(&["restore", "latest", "--into", "never_made", "--dry-run"])
        .succeeds()
        .mentions("_backup_second");
}
