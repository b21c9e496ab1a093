//! How old the newest good backup is, at a cost that doesn't grow with the backups.

use e2e::alerts::Message;
use e2e::bucket::Bucket;
use e2e::functions::Function;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AMPLE, Ground, invoke};
use crate::past::{days_ago, key, put_in_bucket};

const NEVER: f64 = 315_360_000.0;

fn mark(bucket: &Bucket, database: &str, since: Timestamp, retired: Option<Timestamp>) {
    let entry = json!({"version": 1, "database": database, "since": since, "retired": retired});
    bucket.put(&format!("backups/databases/{database}.json"), entry.to_string().as_bytes());
}

fn measure() -> Value {
    json!({"action": "measure"})
}

fn is_about(value: Option<f64>, expected: f64) -> bool {
    value.is_some_and(|value| (value - expected).abs() < 120.0)
}

#[test]
fn oldest_of_all_expected_databases_counts() {
    let ground = Ground::new();
    for (database, days) in [("app", 1), ("shop", 0), ("old", 9)] {
        put_in_bucket(&ground.bucket, database, days_ago(days));
    }
    mark(&ground.bucket, "app", days_ago(30), None);
    mark(&ground.bucket, "shop", days_ago(30), None);
    mark(&ground.bucket, "old", days_ago(30), Some(days_ago(2)));
    let answer = invoke(&ground.function("freshness"), &measure()).done();
    assert_eq!(answer["databases"].as_array().unwrap().len(), 2, "{answer}");
    assert!(is_about(ground.metric("AgeOfNewestGood", None), 86_400.0));
    assert!(is_about(ground.metric("AgeOfNewestGood", Some("shop")), 0.0));
    assert_eq!(ground.metric("AgeOfNewestGood", Some("old")), None, "retired");
}

#[test]
fn database_whose_backups_vanished_or_never_came_rings() {
    let ground = Ground::new();
    invoke(&ground.function("freshness"), &measure()).done();
    assert_eq!(ground.metric("AgeOfNewestGood", None), Some(NEVER), "a stack to which nobody backs up");

    let ground = Ground::new();
    put_in_bucket(&ground.bucket, "app", days_ago(0));
    mark(&ground.bucket, "app", days_ago(30), None);
    mark(&ground.bucket, "gone", days_ago(30), None);
    invoke(&ground.function("freshness"), &measure()).done();
    assert_eq!(ground.metric("AgeOfNewestGood", None), Some(NEVER));
    assert_eq!(ground.metric("AgeOfNewestUploaded", Some("gone")), Some(NEVER));
}

#[test]
fn backup_without_verdict_is_uploaded_and_not_good() {
    let ground = Ground::new();
    put_in_bucket(&ground.bucket, "app", days_ago(1));
    let made = days_ago(0);
    put_in_bucket(&ground.bucket, "app", made);
    ground.bucket.delete(&key("app", made, ".intact.json"));
    mark(&ground.bucket, "app", days_ago(30), None);
    invoke(&ground.function("freshness"), &measure()).done();
    assert!(is_about(ground.metric("AgeOfNewestGood", None), 86_400.0));
    assert!(is_about(ground.metric("AgeOfNewestUploaded", None), 0.0));
}

#[test]
fn database_that_becomes_stale_is_told_by_the_one_run_in_whose_interval_it_does() {
    let ground = Ground::new();
    let made = days_ago(1);
    put_in_bucket(&ground.bucket, "app", made);
    mark(&ground.bucket, "app", days_ago(30), None);
    let mut freshness = Function::start(&ground.function("freshness").setting("LASTGOOD_MAX_AGE_SECONDS", "3600"));
    let run =
        |minutes: i64| json!({"action": "measure", "scheduled": made + jiff::SignedDuration::from_mins(60 + minutes)});
    for minutes in [-5, 25, 40] {
        freshness.invoke(&run(minutes), AMPLE).done();
    }
    freshness.invoke(&ground.arrival(&key("app", made, ".intact.json")), AMPLE).done();
    assert_eq!(ground.messages(), []);
    freshness.invoke(&run(10), AMPLE).done();
    let messages = ground.messages();
    let [Message { subject, text }] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(subject, "Lastgood: no fresh good backup of app");
    assert!(text.contains("lastgood restore app_backup_"), "{text}");
}
