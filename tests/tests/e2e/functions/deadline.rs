//! Archives that take longer than an invocation, and archives larger than its memory.

use std::sync::OnceLock;
use std::time::Duration;

use e2e::bucket::Bucket;
use e2e::functions::{Answer, Function};
use e2e::postgres::{Database, Postgres};
use e2e::proxy::{Fault, Proxy};
use serde_json::{Value, json};

use super::{AMPLE, Ground};
use crate::past::agent;

/// Less than the archive takes.
const SHORT: Duration = Duration::from_secs(5);

/// So slow that an invocation of five seconds reads some 16 MB of an archive.
const SLOW: Fault = Fault::Latency(Duration::from_millis(20));

/// Digits in tables of 50 MB each, which no compression makes smaller than half.
fn digits(name: &str, tables: usize) -> Database<'static> {
    let database = Postgres::shared().new_database(name);
    let text = "(SELECT string_agg(md5(n || '/' || part), '') FROM generate_series(1, 30) AS part)";
    database.query(&format!("CREATE TABLE digits AS SELECT n, {text} AS text FROM generate_series(1, 52000) AS n"));
    for table in 1..tables {
        database.query(&format!("CREATE TABLE digits_{table} AS TABLE digits"));
    }
    database
}

/// 50 MB.
fn long() -> &'static Database<'static> {
    static LONG: OnceLock<Database<'static>> = OnceLock::new();
    LONG.get_or_init(|| digits("long", 1))
}

fn back_up(bucket: &Bucket, database: &Database<'_>, compression: &str) -> String {
    let agent = agent().database(database).bucket(bucket.name(), bucket.access());
    let agent = agent.setting("BACKUP_VERIFY", "none").setting("BACKUP_COMPRESSION", compression);
    agent.run(&["backup", "--name", "long"]).succeeds();
    bucket.key_ending_in(".manifest.json")
}

/// Gives the events that S3 would send until no saved place is left over; the answers.
fn chain(ground: &Ground, function: &mut Function, first: &Value, time: Duration) -> Vec<Value> {
    let mut answers = vec![function.invoke(first, time).done()];
    while let Some(goes_on) = going_on(answers.last().unwrap()) {
        assert!(answers.len() < 30, "no end: {answers:?}");
        let place = ground.bucket.key_ending_in(&format!("{goes_on}.verifying.json"));
        answers.push(function.invoke(&ground.arrival(&place), time).done());
    }
    answers
}

fn going_on(answer: &Value) -> Option<String> {
    let last = answer["backups"].as_array().unwrap().last()?;
    (last["outcome"] == "goesOn").then(|| last["backup"].as_str().unwrap().to_owned())
}

#[test]
fn archive_that_outlasts_its_invocations_gets_a_verdict_all_the_same() {
    let ground = Ground::new();
    let manifest = back_up(&ground.bucket, long(), "none");
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    proxy.set(SLOW);
    let mut verify = Function::start(&ground.function_as("verify", &ground.bucket.access().through(&proxy)));
    let answers = chain(&ground, &mut verify, &ground.arrival(&manifest), SHORT);
    assert!(answers.len() >= 3, "{answers:?}");
    let positions: Vec<u64> = answers.iter().filter_map(|answer| answer["backups"][0]["position"].as_u64()).collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let last = &answers.last().unwrap()["backups"][0];
    assert_eq!((&last["outcome"], &last["invocations"]), (&json!("intact"), &json!(answers.len())), "{answers:?}");

    proxy.heal();
    let place = ground.bucket.key_ending_in(".verifying.json");
    let late = verify.invoke(&ground.arrival(&place), AMPLE).done();
    assert_eq!(late["backups"][0]["reason"], "it has its verdict", "an event that comes late: {late}");
}

#[test]
fn event_of_a_place_that_a_newer_one_replaced_starts_no_second_chain() {
    let ground = Ground::new();
    let manifest = back_up(&ground.bucket, long(), "none");
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    proxy.set(SLOW);
    let mut verify = Function::start(&ground.function_as("verify", &ground.bucket.access().through(&proxy)));
    verify.invoke(&ground.arrival(&manifest), SHORT).done();
    let place = ground.bucket.key_ending_in(".verifying.json");
    let first = ground.arrival(&place);
    let again = verify.invoke(&ground.arrival(&manifest), SHORT).done();
    assert_eq!(again["backups"][0]["reason"], "another invocation is reading it");
    assert!(going_on(&verify.invoke(&first, SHORT).done()).is_some());
    let superseded = verify.invoke(&first, SHORT).done();
    assert_eq!(superseded["backups"][0]["reason"], "a newer saved place has replaced this one");
}

#[test]
fn guest_that_can_not_be_read_in_parts_is_unfinished_after_one_whole_run() {
    let ground = Ground::new();
    let dump = long().dump(&["--format=custom", "--compress=1"]);
    ground.bucket.put("backups/20260120/guest_backup_20260120_030000.sql.gz", &dump);
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    proxy.set(SLOW);
    let mut verify = Function::start(&ground.function_as("verify", &ground.bucket.access().through(&proxy)));
    let answers = chain(&ground, &mut verify, &json!({"action": "sweep"}), SHORT);
    let last = &answers.last().unwrap()["backups"][0];
    assert_eq!(last["findings"][0]["code"], "unfinished", "{answers:?}");
    assert!(ground.bucket.keys().contains(&"backups/20260120/guest_backup_20260120_030000.damaged.json".to_owned()));
}

#[test]
fn memory_does_not_grow_with_the_archive() {
    let database = digits("large", 4);
    for compression in ["none", "gzip"] {
        let ground = Ground::new();
        let manifest = back_up(&ground.bucket, &database, compression);
        let mut verify = Function::start(&ground.function("verify"));
        let Answer::Done(outcome) = verify.invoke(&ground.arrival(&manifest), AMPLE) else { panic!() };
        assert_eq!(outcome["backups"][0]["outcome"], "intact", "{outcome}");
        let peak = verify.peak_memory() >> 20;

        assert!(peak < 64, "{peak} MiB with {compression}");
    }
}
