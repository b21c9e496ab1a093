//! A function that fails: the event is tried three times, and then lies where an alarm sees it.

use std::time::{Duration, Instant};

use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::stack::Stack;
use serde_json::json;

const MANIFEST: &str = "backups/20260120/app_backup_20260120_030000.manifest.json";

#[test]
fn event_that_fails_for_good_names_its_object_among_the_dead_letters() {
    let stack = Stack::new(Ministack::shared(), "failing");
    stack.deploy(&[]);
    Bucket::existing(&stack.ministack().root(), &stack.bucket()).put(MANIFEST, b"{}");
    let queue = stack.output("DeadLettersUrl");
    let begun = Instant::now();
    let letter = loop {
        let received = stack.ask("sqs", "ReceiveMessage", json!({"QueueUrl": queue}));
        if let Some(body) = received["Messages"][0]["Body"].as_str() {
            break body.to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing came:\n{}", stack.ministack().log());
        std::thread::sleep(Duration::from_millis(200));
    };
    assert!(letter.contains(MANIFEST), "{letter}");
}
