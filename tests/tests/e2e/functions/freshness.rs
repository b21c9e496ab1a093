//! The state of each database's backups, at a cost that doesn't grow with the backups, and who is told of it.

use std::time::Duration;

use e2e::alerts::Message;
use e2e::answering::{StandIn, Treatment};
use e2e::bucket::Bucket;
use e2e::functions::{Function, Setup};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AMPLE, Ground, invoke};
use e2e::past::{days_ago, drill, key, put_in_bucket, stem};

const NEVER: f64 = 315_360_000.0;

fn mark(bucket: &Bucket, database: &str, since: Timestamp, retired: Option<Timestamp>) {
    let entry = json!({"version": 1, "database": database, "since": since, "retired": retired});
    let key = format!("backups/databases/{}.json", catalog::encode_database(database));
    bucket.put(&key, entry.to_string().as_bytes());
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
    assert!((0.92..0.93).contains(&ground.metric("Staleness", None).unwrap()), "of 26 hours");
    assert_eq!(ground.metric("DamagedSinceGood", None), Some(0.0));
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
    assert!(is_about(ground.metric("AgeOfNewestUploaded", Some("app")), 0.0));
}

/// A run that a schedule starts, long before the hour of the daily message.
fn scheduled() -> Value {
    json!({"action": "measure", "scheduled": "2026-01-20T03:15:00Z"})
}

fn subjects(ground: &Ground) -> Vec<String> {
    ground.messages().into_iter().map(|message| message.subject).collect()
}

#[test]
fn database_that_became_stale_is_told_once_and_again_when_nobody_could_be_told() {
    let ground = Ground::new();
    let made = days_ago(1);
    put_in_bucket(&ground.bucket, "app", made);
    mark(&ground.bucket, "app", days_ago(30), None);
    let setup = ground.function("freshness").setting("LASTGOOD_MAX_AGE_SECONDS", "3600");
    invoke(&setup, &ground.arrival(&key("app", made, ".intact.json"))).done();
    let deaf = setup.clone().setting("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:1").setting("AWS_MAX_ATTEMPTS", "1");
    assert!(invoke(&deaf, &scheduled()).failed().contains("cannot send the message"));
    assert_eq!(ground.messages(), [], "an event's run tells nobody, and the other could not");
    for _ in 0..2 {
        invoke(&setup, &scheduled()).done();
    }
    let messages = ground.messages();
    let [Message { subject, text }] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(subject, "Lastgood: no fresh good backup of app");
    assert!(text.contains("lastgood restore app_backup_"), "{text}");
    let status = ground.bucket.get_json("backups/status/freshness.json");
    assert_eq!((&status["listeners"], &status["told"]), (&json!(1), &json!(["stale/app"])), "{status}");

    // Over, and stale again: that is news.
    put_in_bucket(&ground.bucket, "app", days_ago(0));
    invoke(&setup, &scheduled()).done();
    assert_eq!(ground.bucket.get_json("backups/status/freshness.json")["standing"], json!([]));
    ground.bucket.keys().iter().filter(|key| key.ends_with(".intact.json")).for_each(|key| ground.bucket.delete(key));
    invoke(&setup, &scheduled()).done();
    assert_eq!(subjects(&ground), ["Lastgood: no fresh good backup of app"]);
}

#[test]
fn damaged_backups_are_told_in_one_message_with_the_last_good_one_to_use() {
    let ground = Ground::new();
    let good = days_ago(1);
    put_in_bucket(&ground.bucket, "app", good);
    mark(&ground.bucket, "app", days_ago(30), None);
    let setup = ground.function("freshness");
    invoke(&setup, &scheduled()).done();
    let rotten: Vec<_> = (0..3).map(|hours| days_ago(0) - jiff::SignedDuration::from_hours(hours)).collect();
    for made in &rotten {
        put_in_bucket(&ground.bucket, "app", *made);
        ground.bucket.flip_bit(&key("app", *made, ".sql.gz"), 4_000);
        ground.bucket.delete(&key("app", *made, ".intact.json"));
    }
    // The archive of one is gone, and of one that is old only the daily runs know.
    ground.bucket.delete(&key("app", rotten[2], ".sql.gz"));
    invoke(&ground.function("verify").setting("LASTGOOD_ALERTS_TOPIC", ""), &json!({"action": "sweep"})).done();
    let old = "20250101/app_backup_20250101_030000";
    let record = String::from_utf8(ground.bucket.get(&key("app", rotten[0], ".damaged.json"))).unwrap();
    let recent = key("app", rotten[0], "").replace("backups/", "");
    ground.bucket.put(&format!("backups/{old}.damaged.json"), record.replace(&recent, old).as_bytes());
    let prune = json!({"version": 1, "finished": jiff::Timestamp::now(), "damaged": [old, "20250102/app_backup_gone"]});
    ground.bucket.put("backups/status/prune.json", prune.to_string().as_bytes());
    for _ in 0..2 {
        invoke(&setup, &scheduled()).done();
    }
    assert_eq!(ground.metric("DamagedSinceGood", None), Some(3.0));
    let messages = ground.messages();
    let [Message { subject, text }] = &messages[..] else { panic!("{messages:?}") };
    assert!(subject.ends_with("and 3 more are damaged"), "{subject}");
    assert!(text.contains(&format!("lastgood restore {}\n", stem("app", good))), "{text}");
    assert!(text.contains("MD5") && text.contains(old) && text.contains("archive"), "{text}");
}

/// By accident, or with a stolen key.
#[test]
fn one_mark_cannot_be_read_and_hides_no_other() {
    let ground = Ground::new();
    for database in ["app", "köln"] {
        put_in_bucket(&ground.bucket, &catalog::encode_database(database), days_ago(0));
        mark(&ground.bucket, database, days_ago(30), None);
    }
    ground.bucket.put("backups/databases/zzz.json", b"{");
    let failure = invoke(&ground.function("freshness"), &scheduled()).failed();
    assert!(failure.contains("databases/zzz.json"), "{failure}");
    assert!(ground.metric("Staleness", None).unwrap() > 1.0, "it counts as never backed up");
    assert!(is_about(ground.metric("AgeOfNewestGood", Some("k.C3.B6ln")), 0.0), "the others are published, in ASCII");
    let told = subjects(&ground);
    assert!(told.len() == 1 && told[0].contains("nothing is known of database `zzz`"), "{told:?}");
}

#[test]
fn the_whole_bucket_is_deleted_and_nothing_is_published() {
    let ground = Ground::new();
    let setup = ground.function("freshness").setting("BACKUP_S3_BUCKET", "nowhere-to-be-found");
    let failure = invoke(&setup.setting("LASTGOOD_REPOSITORY", &ground.repository()), &scheduled()).failed();
    assert!(failure.contains("hint:"), "{failure}");
    assert_eq!(ground.metric("Staleness", None), None, "missing data raises the alarm");
}

/// A database with a good backup of today.
fn healthy() -> Ground {
    let ground = Ground::new();
    put_in_bucket(&ground.bucket, "app", days_ago(0));
    mark(&ground.bucket, "app", days_ago(30), None);
    ground
}

/// A function with a monitor that never answers, which fails nothing.
fn monitored(ground: &Ground) -> (std::net::TcpListener, Setup) {
    let monitor = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    monitor.set_nonblocking(true).unwrap();
    let url = format!("http://{}/secret-uuid", monitor.local_addr().unwrap());
    let setup = ground.function("freshness").setting("LASTGOOD_HEARTBEAT_URL", &url);
    (monitor, setup)
}

/// The stack, the account or the topic is gone: then nobody asks any more, and the monitor rings.
#[test]
fn the_stack_is_deleted_or_its_account_suspended_and_the_heartbeat_stops() {
    let ground = healthy();
    let (monitor, setup) = monitored(&ground);
    let beats = || std::iter::from_fn(|| monitor.accept().ok()).count();
    // Nobody answers here, which fails nothing: the monitor rings by itself.
    let mut freshness = Function::start(&setup);
    freshness.invoke(&scheduled(), AMPLE).done();
    assert_eq!(beats(), 1, "all is well");
    assert!(!freshness.log().contains("secret-uuid"), "{}", freshness.log());
    ground.bucket.delete(&key("app", days_ago(0), ".intact.json"));
    ground.bucket.keys().iter().filter(|key| key.ends_with(".intact.json")).for_each(|key| ground.bucket.delete(key));
    Function::start(&setup.setting("LASTGOOD_MAX_AGE_SECONDS", "1")).invoke(&scheduled(), AMPLE).done();
    assert_eq!(beats(), 0, "something stands");
}

#[test]
fn nobody_can_say_who_gets_the_alarms_and_the_heartbeat_stops() {
    let ground = healthy();
    let (monitor, setup) = monitored(&ground);
    let mut deaf = Function::start(&setup.setting("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:1"));
    deaf.invoke(&scheduled(), AMPLE).done();
    assert!(deaf.log().contains("cannot ask who gets the alarms"), "{}", deaf.log());
    assert!(monitor.accept().is_err(), "perhaps nobody hears");
}

#[test]
fn the_age_of_drills_is_published_where_they_are_asked_for_and_a_record_that_cannot_be_read_blinds_nobody() {
    let ground = Ground::new();
    for database in ["app", "shop"] {
        put_in_bucket(&ground.bucket, database, days_ago(0));
        mark(&ground.bucket, database, days_ago(10), None);
    }
    let passed = catalog::drill::DrillStatus::after(None, drill("app", days_ago(3), days_ago(2), true));
    ground.bucket.put("backups/status/drills/app.json", &passed.to_json().unwrap());
    invoke(&ground.function("freshness"), &measure()).done();
    assert_eq!(ground.metric("DrillAge", None), None, "nobody asks for drills");
    let setup = ground.function("freshness").setting("LASTGOOD_DRILL_MAX_AGE_DAYS", "35");
    invoke(&setup, &scheduled()).done();
    let days = |database| ground.metric("DrillAge", database).unwrap();
    assert!(
        (1.9..2.1).contains(&days(Some("app"))) && (9.9..10.1).contains(&days(Some("shop"))),
        "since it is expected"
    );
    assert!((9.9..10.1).contains(&days(None)), "the worst of all");
    assert_eq!(subjects(&ground), [""; 0], "it has time for its first");

    ground.bucket.put("backups/status/drills/shop.json", b"{");
    let answer = invoke(&setup, &scheduled()).done();
    assert_eq!((days(None), days(Some("shop"))), (3_650.0, 3_650.0), "{answer}");
    assert!(is_about(ground.metric("AgeOfNewestGood", Some("shop")), 0.0));
    let told = ground.messages();
    let [Message { text, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(text.to_lowercase().contains("nothing is known of the drills of database `shop`"), "{text}");
    assert!(text.contains("lastgood drill latest --database shop"), "{text}");
}

/// Nobody reads them to decide anything; people do.
#[test]
fn each_day_has_its_verdict_and_its_page() {
    let ground = Ground::new();
    let newest = days_ago(0);
    put_in_bucket(&ground.bucket, "app", newest);
    mark(&ground.bucket, "app", days_ago(30), None);
    invoke(&ground.function("freshness"), &measure()).done();
    let noted = ground.bucket.get_json("backups/status/history/app.json");
    assert_eq!(noted["days"][0]["verdict"], "good", "{noted:#}");
    assert_eq!(noted["days"][0]["backup"], json!(stem("app", newest)), "{noted:#}");
    let told = ground.bucket.get_json("backups/status/report.json");
    assert_eq!(told["databases"][0]["lastGood"]["name"], json!(stem("app", newest)), "{told:#}");
    let page = ground.bucket.head("backups/status/report.html");
    assert_eq!(page.content_type(), Some("text/html; charset=utf-8"));
    let made = page.last_modified().copied();
    invoke(&ground.function("freshness"), &measure()).done();
    assert_eq!(ground.bucket.head("backups/status/report.html").last_modified().copied(), made, "once a day");
}

/// Lambda would end it without a word.
#[test]
fn a_store_that_does_not_answer_in_time_is_a_failure_with_a_reason() {
    let ground = Ground::new();
    put_in_bucket(&ground.bucket, "app", days_ago(0));
    mark(&ground.bucket, "app", days_ago(30), None);
    let stand_in =
        StandIn::start(ground.bucket.access(), |request| match request.target().contains("/databases/app.json") {
            true => Treatment::Stall,
            false => Treatment::Pass,
        });
    let setup = ground.function_as("freshness", &stand_in.access(ground.bucket.access()));
    let failed = Function::start(&setup).invoke(&measure(), Duration::from_secs(8)).failed();
    assert!(failed.starts_with("no answer of the store to all questions within "), "{failed}");
    assert_eq!(ground.metric("AgeOfNewestGood", None), None, "half an answer was published");
}
