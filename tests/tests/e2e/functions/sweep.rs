//! The daily sweep: guests, what events missed, what changed since its verdict.

use std::time::Duration;

use e2e::functions::Function;
use e2e::proxy::{Fault, Proxy};
use serde_json::{Value, json};

use super::{AMPLE, Ground, invoke};
use e2e::past::{days_ago, dump, key, put_in_bucket};

fn sweep() -> Value {
    json!({"action": "sweep"})
}

fn outcomes(answer: &Value) -> Vec<(&str, &str)> {
    let backups = answer["backups"].as_array().unwrap().iter();
    backups.map(|backup| (backup["backup"].as_str().unwrap(), backup["outcome"].as_str().unwrap())).collect()
}

#[test]
fn bucket_full_of_guests_is_judged_and_stays_as_it_is() {
    let ground = Ground::new();
    let guest = |day: u32| format!("backups/202601{day}/shop_backup_202601{day}_030000.sql.gz");
    for day in 10..15 {
        ground.bucket.put(&guest(day), dump());
    }
    ground.bucket.put(&guest(12), &dump()[..dump().len() / 2]);
    ground.bucket.put("backups/20260110/notes.txt", b"mine");
    let before = ground.bucket.objects();
    let answer = invoke(&ground.function("verify"), &sweep()).done();
    let expected = ["intact", "intact", "damaged", "intact", "intact"];
    assert_eq!(outcomes(&answer).iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(), expected, "newest first");
    let after = ground.bucket.objects();
    assert!(before.iter().all(|object| after.contains(object)), "a guest was touched");
    assert_eq!(after.len(), before.len() + 5 + 1, "a verdict each, and the sweep's own status");
    assert_eq!(ground.messages(), [], "the sweep tells nobody by itself");
    assert_eq!(invoke(&ground.function("verify"), &sweep()).done()["backups"], json!([]));
    // Retention sees everything, and leaves what is damaged for freshness to tell.
    invoke(&ground.function("retention"), &json!({"action": "prune"})).done();
    for _ in 0..2 {
        let measured = json!({"action": "measure", "scheduled": "2026-01-20T03:15:00Z"});
        invoke(&ground.function("freshness"), &measured).done();
    }
    let told = ground.messages().into_iter().filter(|message| message.subject.ends_with("is damaged"));
    assert_eq!(told.count(), 1, "once, of a guest that is days old");
}

/// The sweep reads nothing itself: each backup is one message, which an invocation of its own takes.
#[test]
fn sweep_puts_what_is_due_into_the_queue_and_each_message_has_its_backup_verified() {
    let ground = Ground::new();
    for day in 10..23 {
        ground.bucket.put(&format!("backups/202601{day}/shop_backup_202601{day}_030000.sql.gz"), dump());
    }
    let queue = ground.queue();
    let setup = ground.function("verify").setting("LASTGOOD_ARRIVED_QUEUE", queue.url());
    let mut verify = Function::start(&setup);
    let swept = verify.invoke(&sweep(), AMPLE).done();
    assert_eq!((&swept["backups"], &swept["enqueued"], &swept["left"]), (&json!([]), &json!(13), &json!(0)), "{swept}");
    let status = ground.bucket.get_json("backups/status/sweep.json");
    assert_eq!((&status["inGlacier"], &status["oldestVerdict"]), (&json!(0), &Value::Null), "{status}");

    let [first, second] = [queue.receive(), queue.receive()];
    let newest = json!({"action": "verify", "backup": "20260122/shop_backup_20260122_030000"}).to_string();
    assert_eq!(first["Records"][0]["body"], newest, "the newest first");
    for messages in [first, second] {
        assert_eq!(verify.invoke(&messages, AMPLE).done()["batchItemFailures"], json!([]));
        let again = verify.invoke(&messages, AMPLE).done();
        assert_eq!(again["backups"][0]["reason"], "it has its verdict", "a message that comes twice: {again}");
    }
    let judged = ground.bucket.keys().iter().filter(|key| key.ends_with(".intact.json")).count();
    assert_eq!((judged, queue.receive()), (13, json!({"Records": []})));
    assert_eq!(verify.invoke(&sweep(), AMPLE).done()["enqueued"], json!(0));
    assert!(ground.bucket.get_json("backups/status/sweep.json")["oldestVerdict"].is_string());
}

#[test]
fn what_changed_behind_everyones_back_is_found() {
    let ground = Ground::new();
    let made = days_ago(1);
    put_in_bucket(&ground.bucket, "past", made);
    put_in_bucket(&ground.bucket, "past", days_ago(2));
    assert_eq!(invoke(&ground.function("verify"), &sweep()).done()["backups"], json!([]));
    // The store's times are whole seconds: bytes written in the verdict's own second count as before it.
    std::thread::sleep(Duration::from_millis(1_100));
    ground.bucket.flip_bit(&key("past", made, ".sql.gz"), 4_000);
    let answer = invoke(&ground.function("verify"), &sweep()).done();
    assert_eq!(outcomes(&answer).iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(), ["damaged"], "{answer}");
    assert_eq!(ground.metric("VerifyDamaged", Some("past")), Some(1.0));
}

#[test]
fn archive_of_ours_without_manifest_waits_for_it() {
    let ground = Ground::new();
    ground.bucket.put_with(&key("past", days_ago(1), ".sql.gz"), dump(), &[("lastgood-id", "x")]);
    let answer = invoke(&ground.function("verify"), &sweep()).done();
    assert_eq!(answer["backups"][0]["reason"], "its manifest hasn't come");
    assert_eq!(ground.bucket.keys().len(), 1 + 1, "the archive, and the sweep's status");
}

#[test]
fn sweep_that_runs_out_of_time_goes_on_below_in_another_invocation() {
    let ground = Ground::new();
    for day in 10..16 {
        ground.bucket.put(&format!("backups/202601{day}/shop_backup_202601{day}_030000.sql.gz"), dump());
    }
    // Some 0.6 s a request: about three of the six in twelve seconds.
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    proxy.set(Fault::Latency(Duration::from_millis(300)));
    let mut verify = Function::start(&ground.function_as("verify", &ground.bucket.access().through(&proxy)));
    let time = Duration::from_secs(12);
    let mut answer = verify.invoke(&sweep(), time).done();
    let mut links = 0;
    while let Some(("goesOn", id)) = outcomes(&answer).last().map(|(id, outcome)| (*outcome, id.to_string())) {
        links += 1;
        assert!(links < 10);
        let place = ground.bucket.key_ending_in(&format!("{id}.verifying.json"));
        answer = verify.invoke(&ground.arrival(&place), time).done();
    }
    let judged = ground.bucket.keys().iter().filter(|key| key.ends_with(".intact.json")).count();
    assert_eq!((judged, links > 0), (6, true), "{answer}");
}
