//! The functions within the stack: its rules wake them, its roles let them do what they must, its alarms hear them.

use std::time::{Duration, Instant};

use e2e::alerts::metric;
use e2e::bucket::Bucket;
use e2e::functions;
use e2e::ministack::{Ministack, Rights};
use e2e::stack::Stack;
use serde_json::json;

use e2e::past::{agent, database};

#[test]
fn backup_in_a_deployed_stack_is_judged_and_measured_by_itself() {
    // A server of its own, because its alarms ignore dimensions: what this publishes would ring in other tests.
    let ministack = Ministack::start(Rights::Enforced);
    let stack = Stack::new(&ministack, "judged").functions(functions::folder());
    stack.deploy(&["MinimumGood=1"]);
    stack.gather_verdicts_for(1);
    let bucket = Bucket::existing(&stack.ministack().root(), &stack.bucket());
    let agent = agent().database(database()).bucket(bucket.name(), bucket.access());
    agent.setting("BACKUP_VERIFY", "none").setting("BACKUP_S3_PREFIX", "backups").run(&["backup"]).succeeds();
    let latest = |name: &str| metric(bucket.access(), &stack.repository(), None, name);
    // The verdict's arrival wakes retention in its turn. Freshness has its schedule: here a person asks it.
    let begun = Instant::now();
    while latest("GoodMissing").is_none() {
        let log = || stack.ministack().log();
        assert!(begun.elapsed() < Duration::from_secs(60), "{:#?}\n{}", bucket.keys(), log());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(bucket.keys().iter().any(|key| key.ends_with(".intact.json")), "{:#?}", bucket.keys());
    let measure = json!({"FunctionName": stack.resource("Freshness"), "Payload": r#"{"action":"measure"}"#});
    assert_eq!(stack.ask("lambda", "Invoke", measure)["FunctionError"], serde_json::Value::Null);
    assert_eq!(latest("DamagedSinceGood"), Some(0.0));
    assert_eq!(latest("GoodMissing"), Some(0.0));
    assert!(latest("AgeOfNewestGood").unwrap() < 600.0 && latest("Staleness").unwrap() < 1.0);
    let status = bucket.get_json("backups/status/freshness.json");
    assert_eq!((&status["listeners"], &status["expected"]), (&json!(0), &json!([database().name()])), "{status}");
    let failed = stack.output("DeadLettersUrl");
    let failed = stack.ask("sqs", "ReceiveMessage", json!({"QueueUrl": failed}));
    assert_eq!(failed["Messages"], serde_json::Value::Null);
}
