//! Archives that take longer than an invocation, and archives larger than its memory.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use e2e::bounds::MOMENT;
use e2e::bucket::Bucket;
use e2e::functions::{Answer, Function};
use e2e::generator::Generator;
use e2e::postgres::{Database, Installation, Postgres};
use e2e::proxy::{Direction, Fault, Proxy};
use serde_json::{Value, json};

use super::{AMPLE, Ground};
use e2e::past::{agent, database};

/// Less than the archive takes.
const SHORT: Duration = Duration::from_secs(5);

/// What an invocation says that read nothing in its time.
const NO_FURTHER: &str = "a whole invocation could not read";

/// So slow that an invocation of five seconds reads some 24 MB of an archive, in pieces of 8 MiB: on a busy machine one as well.
const SLOW: Fault = Fault::Latency(Duration::from_millis(10));

/// 100 MB of digits, which no compression makes smaller than half.
fn long() -> &'static Database<'static> {
    static LONG: OnceLock<Database<'static>> = OnceLock::new();
    LONG.get_or_init(|| {
        let database = Postgres::shared().new_database("long");
        let text = "(SELECT string_agg(md5(n || '/' || part), '') FROM generate_series(1, 30) AS part)";
        database
            .query(&format!("CREATE TABLE digits AS SELECT n, {text} AS text FROM generate_series(1, 104000) AS n"));
        database
    })
}

fn back_up(bucket: &Bucket, database: &Database<'_>, compression: &str) -> String {
    let agent = agent().database(database).bucket(bucket.name(), bucket.access());
    let agent = agent.setting("BACKUP_VERIFY", "none").setting("BACKUP_COMPRESSION", compression);
    agent.run(&["backup", "--name", "long"]).succeeds();
    bucket.key_ending_in(".manifest.json")
}

/// An invocation with little time. On a busy machine that may be too little to get anywhere, which is a failure and leaves
/// nothing behind: the next, as Lambda would send it again, has half as much again.
fn invoke_shortly(function: &mut Function, event: &Value) -> Value {
    let mut time = SHORT;
    loop {
        match function.invoke(event, time) {
            Answer::Done(answer) => return answer,
            Answer::Failed(failure) => assert!(failure.contains(NO_FURTHER) && time < MOMENT, "{failure}"),
        }
        time = time * 3 / 2;
    }
}

/// Gives the events that S3 would send until no saved place is left over; the answers.
fn chain(ground: &Ground, function: &mut Function, first: &Value) -> Vec<Value> {
    let mut answers = vec![invoke_shortly(function, first)];
    while let Some(goes_on) = going_on(answers.last().unwrap()) {
        assert!(answers.len() < 200, "no end: {answers:?}");
        let place = ground.bucket.key_ending_in(&format!("{goes_on}.verifying.json"));
        answers.push(invoke_shortly(function, &ground.arrival(&place)));
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
    let answers = chain(&ground, &mut verify, &ground.arrival(&manifest));
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
    invoke_shortly(&mut verify, &ground.arrival(&manifest));
    let place = ground.bucket.key_ending_in(".verifying.json");
    let first = ground.arrival(&place);
    let again = verify.invoke(&ground.arrival(&manifest), SHORT).done();
    assert_eq!(again["backups"][0]["reason"], "another invocation is reading it");
    assert!(going_on(&invoke_shortly(&mut verify, &first)).is_some());
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
    let answers = chain(&ground, &mut verify, &json!({"action": "sweep"}));
    let last = &answers.last().unwrap()["backups"][0];
    assert_eq!(last["findings"][0]["code"], "unfinished", "{answers:?}");
    assert!(ground.bucket.keys().contains(&"backups/20260120/guest_backup_20260120_030000.damaged.json".to_owned()));
}

#[test]
fn invocation_that_gets_no_further_is_a_failure_and_no_verdict() {
    let ground = Ground::new();
    let manifest = back_up(&ground.bucket, long(), "none");
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    proxy.set(Fault::Stall(Direction::Down, 100_000));
    let mut verify = Function::start(&ground.function_as("verify", &ground.bucket.access().through(&proxy)));
    let failure = verify.invoke(&ground.arrival(&manifest), SHORT).failed();
    assert!(failure.contains("byte 0"), "{failure}");
    assert_eq!(ground.bucket.keys().len(), 5, "archive, globals, index, manifest and mark: {:?}", ground.bucket.keys());
}

/// A backup of so many bytes of dump, for which no disk holds a database; its manifest's key.
fn back_up_generated(bucket: &Bucket, compression: &str, bytes: u64) -> String {
    let dump = Generator::new(&Installation::debian(), Path::new(env!("CARGO_BIN_EXE_bench")), bytes);
    let agent = agent().database(database()).bucket(bucket.name(), bucket.access());
    let agent = agent.setting("PG_BIN_DIR", dump.programs().display().to_string());
    let agent = agent.setting("BACKUP_VERIFY", "none").setting("BACKUP_COMPRESSION", compression);
    agent.setting("BACKUP_COMPRESSION_LEVEL", "1").run(&["backup"]).succeeds();
    bucket.key_ending_in(".manifest.json")
}

/// The network is no faster than a function's, so that a fast machine too needs several invocations.
#[test]
fn gigabyte_is_judged_in_64_mb_by_invocations_of_five_seconds() {
    let ground = Ground::new();
    let manifest = back_up_generated(&ground.bucket, "gzip", 3_500_000_000);
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    proxy.set(Fault::Latency(Duration::from_millis(1)));
    let mut verify = Function::start(&ground.function_as("verify", &ground.bucket.access().through(&proxy)));
    let answers = chain(&ground, &mut verify, &ground.arrival(&manifest));
    let last = &answers.last().unwrap()["backups"][0];
    assert_eq!((&last["outcome"], &last["invocations"]), (&json!("intact"), &json!(answers.len())), "{answers:?}");
    assert!(answers.len() > 1 && last["bytes"].as_u64() > Some(1_000_000_000), "{answers:?}");
    assert!(verify.peak_memory() < 64 << 20, "{} MiB", verify.peak_memory() >> 20);
}

#[test]
fn memory_does_not_grow_with_an_archive_that_is_not_compressed() {
    let ground = Ground::new();
    let manifest = back_up_generated(&ground.bucket, "none", 200_000_000);
    let mut verify = Function::start(&ground.function("verify"));
    let outcome = verify.invoke(&ground.arrival(&manifest), AMPLE).done();
    assert_eq!(outcome["backups"][0]["outcome"], "intact", "{outcome}");
    assert!(verify.peak_memory() < 64 << 20, "{} MiB", verify.peak_memory() >> 20);
}
