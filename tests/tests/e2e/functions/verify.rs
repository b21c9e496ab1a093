//! Each backup that arrives gets its verdict, whatever its event looks like.

use std::time::Duration;

use e2e::alerts::Message;
use e2e::functions::{Function, Setup};
use e2e::proxy::Proxy;
use serde_json::{Value, json};

use super::{AMPLE, Ground, invoke};
use e2e::past::{agent, database, days_ago, key, put_in_bucket, stem};

/// A backup as the agent stores it; the function is to judge it. Its manifest's key.
fn back_up(ground: &Ground, name: &str) -> String {
    let agent = agent().database(database()).bucket(ground.bucket.name(), ground.bucket.access());
    agent.setting("BACKUP_VERIFY", "none").run(&["backup", "--name", name]).succeeds();
    ground.bucket.key_ending_in(&format!("_backup_{name}.manifest.json"))
}

#[test]
fn new_backup_is_judged_once_and_published() {
    let ground = Ground::new();
    let manifest = back_up(&ground, "first");
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let mut verify = Function::start(&ground.function_as("verify", &ground.bucket.access().through(&proxy)));
    let first = verify.invoke(&ground.arrival(&manifest), AMPLE).done();
    assert_eq!(first["backups"][0]["outcome"], "intact", "{first}");
    let verdict = ground.bucket.get_json(&manifest.replace(".manifest.", ".intact."));
    assert_eq!(verdict["identity"]["key"], manifest.replace(".manifest.json", ".sql.gz"));
    assert_eq!(verdict["verifier"]["name"], "function");
    assert_eq!(ground.metric("VerifyDamaged", Some(database().name())), Some(0.0));
    assert_eq!(ground.metric("VerifyDamaged", None), None, "freshness says how the repository is");

    proxy.clear_requests();
    let again = verify.invoke(&ground.arrival(&manifest), AMPLE).done();
    assert_eq!(again["backups"][0]["reason"], "it has its verdict", "{again}");
    assert_eq!(proxy.requests().len(), 1, "{:?}", proxy.requests());
    assert_eq!(ground.messages(), []);
}

/// S3 delivers an event at least once, and a burst wakes as many functions as it likes.
#[test]
fn the_same_event_fifty_times_at_once_is_one_verdict() {
    const FUNCTIONS: usize = 5;
    const TIMES: usize = 10;
    let ground = Ground::new();
    let manifest = back_up(&ground, "often");
    let event = ground.arrival(&manifest);
    let setup = ground.function("verify");
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let invoke = || {
            let mut verify = Function::start(&setup);
            (0..TIMES).map(|_| verify.invoke(&event, AMPLE).done()).collect::<Vec<_>>()
        };
        let functions: Vec<_> = (0..FUNCTIONS).map(|_| scope.spawn(invoke)).collect();
        functions.into_iter().flat_map(|function| function.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), FUNCTIONS * TIMES);
    for answer in answers {
        let backup = &answer["backups"][0];
        assert!(backup["outcome"] == "intact" || backup["reason"] == "it has its verdict", "{answer}");
    }
    let records = |suffix: &str| ground.bucket.keys().iter().filter(|key| key.ends_with(suffix)).count();
    assert_eq!((records(".intact.json"), records(".damaged.json")), (1, 0));
    assert_eq!(ground.messages(), []);
}

#[test]
fn backup_is_compared_with_those_before_it() {
    let ground = Ground::new();
    let before = [1, 2, 3].map(days_ago);
    before.iter().for_each(|made| put_in_bucket(&ground.bucket, database().name(), *made));
    let manifest = back_up(&ground, "now");
    let again = ground.function("verify").setting("LASTGOOD_REVERIFY_AFTER_DAYS", "0");
    let mut verify = Function::start(&again);
    verify.invoke(&ground.arrival(&manifest), AMPLE).done();
    let verdict = || ground.bucket.get_json(&manifest.replace(".manifest.", ".intact."));
    let first = verdict();
    assert_eq!((&first["extent"]["rows"], &first["extent"]["medianRows"]), (&json!(3002), &json!(3002)), "{first}");
    assert!(first["extent"]["medianBytes"].as_u64() > Some(0), "{first}");

    // When it is read again, those before it may be gone.
    before.iter().for_each(|made| ground.bucket.delete(&key(database().name(), *made, ".intact.json")));
    std::thread::sleep(Duration::from_millis(1_100));
    verify.invoke(&wish(&manifest), AMPLE).done();
    assert_ne!(verdict()["verified"], first["verified"]);
    assert_eq!(verdict()["extent"], first["extent"]);
}

/// What asks for this backup to be verified, if it is due.
fn wish(manifest: &str) -> Value {
    json!({"action": "verify", "backup": manifest.trim_start_matches("backups/").trim_end_matches(".manifest.json")})
}

#[test]
fn comparison_that_fails_costs_no_verdict() {
    let ground = Ground::new();
    let yesterday = days_ago(1);
    put_in_bucket(&ground.bucket, database().name(), yesterday);
    // Larger than any record is read.
    ground.bucket.put(&key(database().name(), yesterday, ".manifest.json"), &vec![b' '; 65 << 20]);
    let manifest = back_up(&ground, "now");
    let mut verify = Function::start(&ground.function("verify"));
    let outcome = verify.invoke(&ground.arrival(&manifest), AMPLE).done();
    assert_eq!(outcome["backups"][0]["outcome"], "intact", "{outcome}");
    assert!(verify.log().contains("isn't compared with those before it"), "{}", verify.log());
    let extent = ground.bucket.get_json(&manifest.replace(".manifest.", ".intact."))["extent"].clone();
    let medians = (&extent["medianBytes"], &extent["medianRows"]);
    assert_eq!((&extent["rows"], medians), (&json!(3002), (&Value::Null, &Value::Null)), "{extent}");
}

#[test]
fn damaged_backup_reaches_a_person_with_the_last_good_one_to_use() {
    let ground = Ground::new();
    let yesterday = days_ago(1);
    put_in_bucket(&ground.bucket, database().name(), yesterday);
    let manifest = back_up(&ground, "rotten");
    ground.bucket.flip_bit(&manifest.replace(".manifest.json", ".sql.gz"), 4_000);
    let outcome = invoke(&ground.function("verify"), &ground.arrival(&manifest)).done();
    assert_eq!(outcome["backups"][0]["outcome"], "damaged", "{outcome}");
    assert!(ground.bucket.keys().contains(&manifest.replace(".manifest.", ".damaged.")));
    assert_eq!(ground.metric("VerifyDamaged", Some(database().name())), Some(1.0));
    assert_eq!(ground.messages(), [], "freshness tells, of all at once");
    invoke(&ground.function("freshness"), &measured()).done();
    let messages = ground.messages();
    let [Message { subject, text }] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(*subject, format!("Lastgood: {}_backup_rotten.sql.gz is damaged", database().name()));
    assert!(text.contains(&format!("lastgood restore {}\n", stem(database().name(), yesterday))), "{text}");
    assert!(text.contains("MD5"), "{text}");
}

#[test]
fn every_record_is_handled_and_a_bad_one_fails_the_invocation() {
    let ground = Ground::new();
    let (first, second) = (back_up(&ground, "one"), back_up(&ground, "two"));
    let record = |key: &str| json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": ground.bucket.name()}, "object": {"key": key}}});
    let bad = json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": ground.bucket.name()}, "object": {}}});
    let event = json!({"Records": [record(&first), bad, record("backups/20260120/"), record(&second), record(&first)]});
    let failure = invoke(&ground.function("verify"), &event).failed();
    assert!(failure.contains("missing field `key`"), "{failure}");
    for manifest in [first, second] {
        assert!(ground.bucket.keys().contains(&manifest.replace(".manifest.", ".intact.")), "{manifest}");
    }
}

#[test]
fn events_that_ask_for_nothing_do_nothing() {
    let ground = Ground::new();
    let mut verify = Function::start(&ground.function("verify"));
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": ground.bucket.name()});
    assert_eq!(verify.invoke(&test, AMPLE).done()["backups"], json!([]));
    let foreign = verify.invoke(&ground.arrival("backups/20260120/holiday.jpg"), AMPLE).done();
    assert_eq!(foreign["backups"][0]["outcome"], "skipped");
    let elsewhere =
        json!({"detail-type": "Object Created", "detail": {"bucket": {"name": "other"}, "object": {"key": "x"}}});
    assert!(verify.invoke(&elsewhere, AMPLE).failed().contains("it is about the bucket other"));
    assert!(verify.invoke(&json!({"hello": "world"}), AMPLE).failed().contains("not an event for this function"));
    assert_eq!(ground.bucket.keys(), Vec::<String>::new());
}

#[test]
fn what_is_gone_is_an_outcome_and_a_lost_archive_a_finding() {
    let ground = Ground::new();
    let gone = key("past", days_ago(1), ".manifest.json");
    let outcome = invoke(&ground.function("verify"), &ground.arrival(&gone)).done();
    assert_eq!(outcome["backups"][0]["reason"], "it is gone");

    let manifest = back_up(&ground, "lost");
    ground.bucket.delete(&manifest.replace(".manifest.json", ".sql.gz"));
    let mut verify = Function::start(&ground.function("verify"));
    let early = verify.invoke(&ground.arrival(&manifest), AMPLE).failed();
    assert!(early.contains("the archive of") && early.contains("isn't there yet"), "{early}");
    // The sweep leaves it to the next one.
    assert_eq!(verify.invoke(&json!({"action": "sweep"}), AMPLE).done()["backups"], json!([]));
    assert_eq!(ground.messages(), []);
}

#[test]
fn manifest_of_a_newer_version_says_to_upgrade() {
    let ground = Ground::new();
    let manifest = back_up(&ground, "future");
    let newer =
        String::from_utf8(ground.bucket.get(&manifest)).unwrap().replacen("\"version\": 1", "\"version\": 2", 1);
    ground.bucket.put(&manifest, newer.as_bytes());
    let failure = invoke(&ground.function("verify"), &ground.arrival(&manifest)).failed();
    assert!(failure.contains("newer lastgood") && failure.contains("make deploy"), "{failure}");
}

/// A function that can't reach one of those whom it has to tell.
fn unheard_by(ground: &Ground, function: &str, service: &str) -> Setup {
    let nobody = "http://127.0.0.1:1";
    ground.function(function).setting(&format!("AWS_ENDPOINT_URL_{service}"), nobody).setting("AWS_MAX_ATTEMPTS", "1")
}

/// What isn't published leaves no verdict, or the next try would find it judged and say nothing.
#[test]
fn failure_to_publish_leaves_no_verdict_and_the_next_try_publishes_and_stores() {
    let ground = Ground::new();
    let manifest = back_up(&ground, "unheard");
    let before = ground.bucket.keys();
    let failure = invoke(&unheard_by(&ground, "verify", "CLOUDWATCH"), &ground.arrival(&manifest)).failed();
    assert!(failure.contains("cannot publish metrics"), "{failure}");
    assert_eq!(ground.bucket.keys(), before);
    invoke(&ground.function("verify"), &ground.arrival(&manifest)).done();
    assert_eq!(ground.metric("VerifyDamaged", Some(database().name())), Some(0.0));
    assert!(ground.bucket.keys().contains(&manifest.replace(".manifest.", ".intact.")));
}

#[test]
fn damage_that_nobody_could_be_told_of_is_told_by_the_next_run() {
    let ground = Ground::new();
    let (rotten, whole) = (back_up(&ground, "rotten"), back_up(&ground, "whole"));
    ground.bucket.flip_bit(&rotten.replace(".manifest.json", ".sql.gz"), 4_000);
    let messages = json!({"Records": [queued("1", &ground.arrival(&rotten)), queued("2", &ground.arrival(&whole))]});
    let answer = invoke(&ground.function("verify"), &messages).done();
    assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
    let has = |key: &str| ground.bucket.keys().contains(&key.to_owned());
    assert!(has(&rotten.replace(".manifest.", ".damaged.")) && has(&whole.replace(".manifest.", ".intact.")));
    let failure = invoke(&unheard_by(&ground, "freshness", "SNS"), &measured()).failed();
    assert!(failure.contains("cannot send the message"), "{failure}");
    invoke(&ground.function("freshness"), &measured()).done();
    assert_eq!(ground.messages().len(), 1);
}

/// What the schedule of freshness sends, long before the hour of the daily message.
fn measured() -> Value {
    json!({"action": "measure", "scheduled": "2026-01-20T03:15:00Z"})
}

/// A message of the queue, as Lambda hands it over.
fn queued(id: &str, body: &Value) -> Value {
    json!({"messageId": id, "receiptHandle": id, "body": body.to_string(), "eventSource": "aws:sqs"})
}

/// One that fails keeps nothing from the others, comes again soon, and only itself.
#[test]
fn messages_of_a_queue_are_handled_one_by_one() {
    let ground = Ground::new();
    let (first, second) = (back_up(&ground, "one"), back_up(&ground, "two"));
    let queue = ground.queue();
    queue.send(&[ground.arrival(&first).to_string(), "not JSON".to_owned(), wish(&second).to_string()]);
    let event = queue.receive();
    let mut verify = Function::start(&ground.function("verify").setting("LASTGOOD_ARRIVED_QUEUE", queue.url()));
    let answer = verify.invoke(&event, AMPLE).done();
    let bad = event["Records"].as_array().unwrap().iter().find(|record| record["body"] == "not JSON").unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{"itemIdentifier": bad["messageId"]}]), "{answer}");
    for manifest in [&first, &second] {
        assert!(ground.bucket.keys().contains(&manifest.replace(".manifest.", ".intact.")), "{manifest}");
    }
    assert!(!verify.log().contains("comes again only after"), "{}", verify.log());
    let alone = verify.invoke(&json!({"Records": [bad]}), AMPLE).failed();
    assert!(alone.contains("a message isn't JSON"), "the function's own alarm tells of it: {alone}");
}
