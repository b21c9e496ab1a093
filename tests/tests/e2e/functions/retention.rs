//! Retention removes by plan, and nothing else.

use std::time::Duration;

use e2e::alerts::Message;
use e2e::bounds::{MOMENT, wait_until};
use e2e::bucket::Bucket;
use e2e::functions::{Function, Setup};
use e2e::history;
use e2e::proxy::{Direction, Fault, Proxy};
use serde_json::{Value, json};

use super::{Ground, invoke};
use e2e::past::{SUFFIXES, days_ago, dump, key, put_in_bucket, stem};

fn prune() -> Value {
    json!({"action": "prune"})
}

/// Keeps the last so many. Not by age: to a store here everything was written today.
fn retention(ground: &Ground, keep: u32) -> Setup {
    let setup = ground.function("retention").setting("BACKUP_S3_DELETE_DAYS", "0").setting("BACKUP_MIN_GOOD", "1");
    setup.setting("BACKUP_KEEP_LAST", &keep.to_string())
}

fn removed(answer: &Value) -> Vec<&str> {
    let rows =
        answer["databases"].as_array().unwrap().iter().flat_map(|database| database["removed"].as_array().unwrap());
    rows.map(|row| row["backup"].as_str().unwrap().split_once('/').unwrap().1).collect()
}

fn mark(bucket: &Bucket, database: &str, retired: Option<&str>) {
    let entry = json!({"version": 1, "database": database, "since": "2026-01-01T00:00:00Z", "retired": retired});
    bucket.put(&format!("backups/databases/{database}.json"), entry.to_string().as_bytes());
}

/// What a whole run leaves behind about itself.
const STATUS: &str = "backups/status/prune.json";
/// Where it leaves that, and the account of what it removed.
const LEFT_BEHIND: &str = "backups/status/";

#[test]
fn dry_run_says_what_the_act_then_does() {
    let ground = Ground::versioned();
    let made: Vec<_> = (0..8).map(days_ago).collect();
    for made in &made {
        put_in_bucket(&ground.bucket, "app", *made);
    }
    mark(&ground.bucket, "app", None);
    let guest = key("shop", made[7], ".sql.gz");
    ground.bucket.put(&guest, dump());
    let before = ground.bucket.versions();
    let planned = invoke(&retention(&ground, 6), &json!({"action": "prune", "dryRun": true})).done();
    assert_eq!(ground.bucket.versions(), before, "a dry run removed something");
    assert_eq!(ground.metric("GoodMissing", None), None, "a dry run published");

    let done = invoke(&retention(&ground, 6), &prune()).done();
    assert_eq!(removed(&planned), removed(&done));
    assert_eq!(removed(&done), [stem("app", made[6]), stem("app", made[7])]);
    assert_eq!(done["databases"][0]["removed"][0]["reason"], "no rule keeps it");
    let mut left = ground.bucket.versions();
    left.retain(|version| !version.key.starts_with(LEFT_BEHIND));
    assert_eq!(left.len(), before.len() - 6, "every version of three objects each");
    let status = ground.bucket.get_json(STATUS);
    assert!(status["finished"].is_string() && status["version"] == 1, "{status}");
    assert!(left.iter().any(|version| version.key == guest), "a guest went");
    assert_eq!(ground.metric("GoodCount", Some("app")), Some(6.0));
    assert_eq!(ground.metric("RetentionRemoved", Some("app")), Some(2.0));
    assert_eq!(removed(&invoke(&retention(&ground, 6), &prune()).done()), Vec::<&str>::new());
}

#[test]
fn plan_that_goes_too_far_is_refused_and_told_once_a_day() {
    let ground = Ground::new();
    let made = [0, 20, 21, 22, 23].map(days_ago);
    made.iter().for_each(|made| put_in_bucket(&ground.bucket, "app", *made));
    let setup = retention(&ground, 1);
    let before = ground.bucket.objects();
    let arrival = ground.arrival(&key("app", made[0], ".intact.json"));
    invoke(&setup, &arrival).done();
    assert_eq!(ground.messages(), [], "the daily run tells, not each verdict");
    let daily = invoke(&setup, &prune()).done();
    assert_eq!(daily["databases"][0]["refused"], "4 of 5 good backups would go, more than half: nothing is removed");
    let mut after = ground.bucket.objects();
    after.retain(|object| !object.key.starts_with(LEFT_BEHIND));
    assert_eq!(after, before);
    assert_eq!(ground.metric("RetentionRefused", None), Some(1.0));
    let messages = ground.messages();
    let [Message { subject, text }] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(subject, "Lastgood: retention refused its plan for app");
    assert!(text.contains("lastgood prune --dry-run --database app"), "{text}");
}

/// Small and valid ones, more than the rules keep, as whoever has a host's keys can store them.
#[test]
fn a_flood_pushes_out_nothing_that_is_younger_than_the_floor() {
    let ground = Ground::new();
    for days in 0..9 {
        put_in_bucket(&ground.bucket, "app", days_ago(days));
    }
    let (before, setup) = (ground.bucket.objects(), retention(&ground, 6));
    let answer = invoke(&setup.setting("BACKUP_NEVER_YOUNGER_DAYS", "14"), &prune()).done();
    let mut after = ground.bucket.objects();
    after.retain(|object| !object.key.starts_with(LEFT_BEHIND));
    assert_eq!((removed(&answer), after), (Vec::new(), before));
    assert_eq!(removed(&invoke(&retention(&ground, 6), &prune()).done()).len(), 3);
}

/// A day to come, for what a test stores is none of an earlier day's.
#[test]
fn what_a_day_has_removed_counts_against_its_next_run() {
    let removed_so_far = "backups/status/removals.json";
    let ground_after = |gone: Vec<String>| {
        let ground = Ground::new();
        (0..9).for_each(|days| put_in_bucket(&ground.bucket, "app", days_ago(days)));
        let day = days_ago(-2).strftime("%Y-%m-%d").to_string();
        let record = json!({"version": 1, "day": day, "databases": {"app": gone}});
        ground.bucket.put(removed_so_far, record.to_string().as_bytes());
        ground
    };
    let ground = ground_after(Vec::new());
    assert_eq!(removed(&invoke(&retention(&ground, 6), &prune()).done()).len(), 3);
    let noted = ground.bucket.get_json(removed_so_far);
    assert_eq!(noted["databases"]["app"].as_array().unwrap().len(), 3, "{noted}");

    let id = |days| key("app", days_ago(days), "").trim_start_matches("backups/").to_owned();
    let ground = ground_after((20..25).map(id).collect());
    let mut before = ground.bucket.objects();
    before.retain(|object| !object.key.starts_with(LEFT_BEHIND));
    let refused = invoke(&retention(&ground, 6), &prune()).done()["databases"][0]["refused"].clone();
    assert!(refused.as_str().is_some_and(|why| why.contains("more than half")), "{refused}");
    let mut after = ground.bucket.objects();
    after.retain(|object| !object.key.starts_with(LEFT_BEHIND));
    assert_eq!(after, before);
}

/// The one has planned, and is held up where it notes what it removes; the other comes and goes meanwhile.
#[test]
fn of_two_runs_at_once_neither_loses_what_the_other_has_counted() {
    let ground = Ground::new();
    (0..9).for_each(|days| put_in_bucket(&ground.bucket, "app", days_ago(days)));
    let record = json!({"version": 1, "day": days_ago(-2).strftime("%Y-%m-%d").to_string()});
    ground.bucket.put("backups/status/removals.json", record.to_string().as_bytes());
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let slow = ground.function_as("retention", &ground.bucket.access().through(&proxy));
    let slow =
        slow.setting("BACKUP_S3_DELETE_DAYS", "0").setting("BACKUP_MIN_GOOD", "1").setting("BACKUP_KEEP_LAST", "8");
    proxy.set(Fault::StallAt("PUT", "removals.json"));
    let noted =
        || ground.bucket.get_json("backups/status/removals.json")["databases"]["app"].as_array().map_or(0, Vec::len);
    let answer = std::thread::scope(|scope| {
        let held_up = scope.spawn(|| invoke(&slow, &prune()).done());
        wait_until("the slow run notes what it removes", || proxy.has_struck());
        invoke(&retention(&ground, 7), &prune()).done();
        assert_eq!(noted(), 2);
        proxy.set(Fault::None);
        held_up.join().unwrap()
    });
    assert_eq!((noted(), removed(&answer).len()), (2, 1), "{answer}");
}

#[test]
fn old_good_backups_are_removed_one_by_one_and_the_daily_run_passes_it_on() {
    let ground = Ground::new();
    let made: Vec<_> = (0..9).map(days_ago).collect();
    made.iter().for_each(|made| put_in_bucket(&ground.bucket, "app", *made));
    let vanished = || ground.bucket.get_json(STATUS)["vanished"].as_array().cloned().unwrap_or_default();
    // What it removes itself is missed by nobody.
    for _ in 0..2 {
        invoke(&retention(&ground, 7), &prune()).done();
        assert_eq!(vanished(), [] as [Value; 0]);
    }
    SUFFIXES.iter().for_each(|suffix| ground.bucket.delete(&key("app", made[6], suffix)));
    // One that came in the very second of the newest that was counted would stand for it.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    put_in_bucket(&ground.bucket, "app", days_ago(0) - jiff::SignedDuration::from_mins(7));
    for _ in 0..2 {
        invoke(&retention(&ground, 9), &prune()).done();
        let vanished = vanished();
        assert_eq!(vanished.len(), 1, "{vanished:?}");
        assert_eq!((&vanished[0]["database"], &vanished[0]["backups"]), (&json!("app"), &json!(1)));
    }
}

#[test]
fn a_database_that_the_stack_names_is_counted_also_without_its_mark_or_after_it_was_retired() {
    let ground = Ground::new();
    for database in ["app", "old"] {
        (0..3).for_each(|days| put_in_bucket(&ground.bucket, database, days_ago(days)));
    }
    mark(&ground.bucket, "old", Some("2099-01-01T00:00:00Z"));
    let setup = retention(&ground, 6).setting("BACKUP_MIN_GOOD", "7");
    invoke(&setup, &prune()).done();
    assert_eq!(ground.metric("GoodMissing", None), Some(0.0), "nobody expects the one, and the other is retired");
    invoke(&setup.setting("LASTGOOD_EXPECTED_DATABASES", "app, old"), &prune()).done();
    assert_eq!(ground.metric("GoodMissing", Some("old")), Some(4.0));
    assert_eq!(ground.metric("GoodMissing", Some("app")), Some(0.0), "three, and in two days there could be one");
}

#[test]
fn only_expected_databases_are_counted_and_no_more_is_asked_than_there_could_be() {
    let ground = Ground::new();
    for days in 0..3 {
        put_in_bucket(&ground.bucket, "app", days_ago(days));
    }
    put_in_bucket(&ground.bucket, "old", days_ago(3));
    mark(&ground.bucket, "app", None);
    mark(&ground.bucket, "old", Some("2099-01-01T00:00:00Z"));
    let setup = retention(&ground, 6).setting("BACKUP_MIN_GOOD", "7");
    invoke(&setup, &prune()).done();
    assert_eq!(ground.metric("GoodMissing", None), Some(4.0), "the retired one has one alone");
    assert_eq!(ground.metric("GoodMissing", Some("old")), None);
    let young = Ground::new();
    put_in_bucket(&young.bucket, "app", days_ago(0));
    let entry = json!({"version": 1, "database": "app", "since": days_ago(1), "retired": null});
    young.bucket.put("backups/databases/app.json", entry.to_string().as_bytes());
    invoke(&retention(&young, 6).setting("BACKUP_MIN_GOOD", "7"), &prune()).done();
    assert_eq!(young.metric("GoodMissing", None), Some(0.0), "in its first days a database has few");
}

/// More objects than one page of a listing has: what lies beyond decides what may go.
#[test]
fn listing_that_fails_half_way_removes_nothing_and_is_a_refusal() {
    let ground = Ground::new();
    history::fill(&ground.bucket, &["app"], 400);
    let before = ground.bucket.objects();
    let listing_pages =
        |proxy: &Proxy| proxy.requests().iter().filter(|request| request.target.contains("versions")).count();
    // Of what comes down when nothing is wrong three quarters: the first page arrives, and what comes after it doesn't.
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let setup = retention_over(&ground, &proxy);
    let well = invoke(&setup, &json!({"action": "prune", "dryRun": true})).done();
    assert_eq!((removed(&well).is_empty(), listing_pages(&proxy)), (false, 3), "{well}");
    let answers = proxy.bytes(Direction::Down);
    proxy.clear_requests();
    proxy.set(Fault::GoAway(Direction::Down, answers * 3 / 4));
    let failure = invoke(&setup, &prune()).failed();
    assert!(failure.contains("hint:"), "{failure}");
    assert!(proxy.has_struck() && listing_pages(&proxy) >= 1, "{:#?}", proxy.requests());
    assert!(proxy.requests().iter().all(|request| request.method == "GET"), "{:#?}", proxy.requests());
    assert_eq!(ground.bucket.objects(), before);
    assert_eq!(ground.metric("RetentionRefused", None), Some(1.0));
}

/// Lambda would end it without a word.
#[test]
fn a_removal_that_the_store_holds_up_is_told_and_the_next_run_makes_it() {
    let ground = Ground::new();
    (0..9).for_each(|days| put_in_bucket(&ground.bucket, "app", days_ago(days)));
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let setup = retention_over(&ground, &proxy).setting("BACKUP_KEEP_LAST", "6");
    let mut time = Duration::from_secs(6);
    let failed = loop {
        proxy.set(Fault::StallAt("POST", "delete"));
        let failed = Function::start(&setup).invoke(&prune(), time).failed();
        // On a busy machine it may not come so far.
        if !failed.contains("nothing was removed") || time > MOMENT {
            break failed;
        }
        proxy.heal();
        time *= 2;
    };
    assert!(failed.contains("what was not removed is left for the next run"), "{failed}");
    assert!(failed.contains("not all that was done is written down"), "{failed}");
    assert_eq!(ground.metric("RetentionRemoved", Some("app")), Some(0.0));
    proxy.heal();
    // What was held up may still have come to the store.
    invoke(&retention(&ground, 6), &prune()).done();
    assert_eq!(ground.bucket.keys().iter().filter(|key| key.ends_with(".sql.gz")).count(), 6);
}

fn retention_over(ground: &Ground, proxy: &Proxy) -> Setup {
    let setup = ground.function_as("retention", &ground.bucket.access().through(proxy));
    let setup = setup.setting("BACKUP_S3_DELETE_DAYS", "0").setting("BACKUP_MIN_GOOD", "1");
    setup.setting("BACKUP_KEEP_LAST", "250")
}

#[test]
fn listing_that_is_refused_removes_nothing_and_is_a_refusal() {
    let ground = Ground::new();
    for days in 0..8 {
        put_in_bucket(&ground.bucket, "app", days_ago(days));
    }
    let before = ground.bucket.objects();
    let setup = retention(&ground, 6).setting("AWS_SECRET_ACCESS_KEY", "wrong");
    let failure = invoke(&setup, &prune()).failed();
    assert!(failure.contains("hint:"), "{failure}");
    assert_eq!(ground.bucket.objects(), before);
    assert_eq!(ground.metric("RetentionRefused", None), Some(1.0));
}
