//! A thousand backups and more: what costs a request each would show. `make bench` does the same with a hundred thousand.

use e2e::functions::Function;
use e2e::history;
use e2e::proxy::Proxy;
use serde_json::json;

use super::{AMPLE, Ground, hearers};

const DATABASES: [&str; 3] = ["app", "shop", "site"];

/// Requests to S3, and the function that made them.
fn requests(ground: &Ground, function: &str, action: &str) -> (usize, Function) {
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let setup = ground.function_as(function, &ground.bucket.access().through(&proxy));
    let mut function = Function::start(&setup.setting("BACKUP_KEEP_LAST", "300").setting("BACKUP_S3_DELETE_DAYS", "0"));
    let answer = function.invoke(&json!({"action": action, "dryRun": true}), AMPLE).done();
    assert_eq!(answer["databases"].as_array().unwrap().len(), DATABASES.len(), "{answer}");
    (proxy.requests().len(), function)
}

#[test]
fn thousand_backups_cost_freshness_as_many_requests_as_a_hundred_and_retention_its_listing() {
    let [few, many] = [33, 400].map(|count| {
        let ground = Ground::new();
        history::fill(&ground.bucket, &DATABASES, count);
        ground
    });
    let measured = [&few, &many].map(|ground| requests(ground, "freshness", "measure").0);
    assert_eq!(measured, [7, 7], "a listing of the databases, and an entry and a listing for each");

    let (planned, retention) = requests(&many, "retention", "prune");
    // 3,603 objects in pages of a thousand, and an entry for each database.
    assert_eq!(planned, 4 + 3);
    assert!(retention.peak_memory() < 64 << 20, "{} MiB", retention.peak_memory() >> 20);
}

/// CloudWatch takes a thousand at once.
#[test]
fn more_than_a_thousand_measures_go_in_two_requests() {
    let ground = Ground::new();
    let databases: Vec<String> = (0..510).map(|number| format!("shop{number}")).collect();
    history::fill(&ground.bucket, &databases.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    let cloudwatch = Proxy::start(&hearers().root().endpoint);
    let setup = ground.function("freshness").reports_to(&hearers().root().through(&cloudwatch));
    Function::start(&setup).invoke(&json!({"action": "measure"}), AMPLE).done();
    assert_eq!(cloudwatch.requests().len(), 2, "{:?}", cloudwatch.requests());
    assert!(ground.metric("AgeOfNewestUploaded", Some("shop509")).is_some(), "the last of 1,022");
}
