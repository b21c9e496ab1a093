//! A long past in a bucket: good backups by the thousand, of which nothing but the listing matters.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::bucket::{Bucket, wait_within};

/// For three hundred thousand objects on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(3600);

/// Requests under way at the same time.
const AT_ONCE: usize = 64;

/// What is stored before the manifest.
const ARCHIVE: [&str; 3] = ["sql.gz", "globals.sql.gz", "index.json.gz"];

/// Puts `count` good backups of each database, one an hour back from now: archive, roles, manifest and verdict, with next to
/// nothing in them. And the marks by which the databases are expected.
pub fn fill(bucket: &Bucket, databases: &[&str], count: u32) {
    fill_every(bucket, databases, count, SignedDuration::from_hours(1));
}

/// The same, with so much time between two backups.
pub fn fill_every(bucket: &Bucket, databases: &[&str], count: u32, interval: SignedDuration) {
    fill_before(bucket, databases, count, interval, Timestamp::now());
}

/// The same of databases whose last backup was made at `newest`.
pub fn fill_before(bucket: &Bucket, databases: &[&str], count: u32, interval: SignedDuration, newest: Timestamp) {
    // A busy store may keep what is put at the same time in any order, and a verdict older than its archive is one of another.
    for suffixes in [&ARCHIVE[..], &["manifest.json"], &["intact.json"]] {
        let objects = databases.iter().flat_map(|database| {
            let past = (0..i32::try_from(count).unwrap()).map(move |number| newest - interval * number);
            past.flat_map(|made| keys(database, made, suffixes)).map(|key| (key, "{}".to_owned()))
        });
        put_all(bucket, objects);
    }
    let marks = databases.iter().map(|database| {
        let mark = json!({"version": 1, "database": database, "since": "2020-01-01T00:00:00Z", "retired": null});
        (format!("backups/databases/{database}.json"), mark.to_string())
    });
    put_all(bucket, marks);
}

fn keys(database: &str, made: Timestamp, suffixes: &[&str]) -> Vec<String> {
    let made = made.to_zoned(TimeZone::UTC);
    let stem = format!("{}/{database}_backup_{}", made.strftime("%Y%m%d"), made.strftime("%Y%m%d_%H%M%S"));
    suffixes.iter().map(|suffix| format!("backups/{stem}.{suffix}")).collect()
}

/// Puts all of these, key and text.
pub(crate) fn put_all(bucket: &Bucket, mut objects: impl Iterator<Item = (String, String)>) {
    wait_within(LIMIT, async {
        let mut puts = tokio::task::JoinSet::new();
        loop {
            while puts.len() < AT_ONCE
                && let Some((key, text)) = objects.next()
            {
                let put = bucket.client().put_object().bucket(bucket.name()).key(key);
                puts.spawn(put.body(ByteStream::from(text.into_bytes())).send());
            }
            match puts.join_next().await {
                Some(put) => drop(put.unwrap().unwrap()),
                None => return,
            }
        }
    });
}
