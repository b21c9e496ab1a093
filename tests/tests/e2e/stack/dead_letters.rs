//! A function that fails: the event is tried three times, and then lies where an alarm sees it, and only this one.

use std::time::{Duration, Instant};

use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::stack::Stack;
use serde_json::{Value, json};

const MANIFEST: &str = "backups/20260120/app_backup_20260120_030000.manifest.json";

fn receive(stack: &Stack<'_>, queue: &str) -> Value {
    let begun = Instant::now();
    loop {
        let received = stack.ask("sqs", "ReceiveMessage", json!({"QueueUrl": queue, "AttributeNames": ["All"]}));
        if received["Messages"][0]["Body"].is_string() {
            return received["Messages"][0].clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing came:\n{}", stack.ministack().log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A function that was killed says nothing: so it is the queue that counts the tries. It hides a message for an hour and a half
/// after each, and here for a second.
#[test]
fn event_that_fails_for_good_names_its_object_among_the_dead_letters() {
    let stack = Stack::new(Ministack::shared(), "failing");
    stack.deploy(&[]);
    let hidden = json!({"QueueUrl": stack.resource("Arrived"), "Attributes": {"VisibilityTimeout": "1"}});
    stack.ask("sqs", "SetQueueAttributes", hidden);
    Bucket::existing(&stack.ministack().root(), &stack.bucket()).put(MANIFEST, b"{}");
    let letter = receive(&stack, &stack.output("DeadLettersUrl"));
    assert!(letter["Body"].as_str().unwrap().contains(MANIFEST), "{letter}");
    // By this SQS knows where `start-message-move-task` moves it back to.
    assert_eq!(letter["Attributes"]["DeadLetterQueueSourceArn"], stack.output("ArrivedArn"), "{letter}");
    assert_eq!(letter["Attributes"]["ApproximateReceiveCount"], "4", "three tries, and this look");
}
