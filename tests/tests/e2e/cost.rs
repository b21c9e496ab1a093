//! `lastgood cost`: a bill for the bucket as it is, and one for backups that nobody has made yet.

use e2e::agent::Agent;
use e2e::bucket::Bucket;
use e2e::proxy::Proxy;
use e2e::seaweedfs::Seaweedfs;
use serde_json::Value;

use e2e::past::{agent, days_ago, put_in_bucket};

fn bucket() -> Bucket {
    Bucket::new(&Seaweedfs::shared().admin())
}

fn item<'a>(bill: &'a Value, name: &str) -> &'a Value {
    let items = bill["items"].as_array().unwrap();
    items.iter().find(|item| item["item"] == name).unwrap_or_else(|| panic!("no {name}: {bill:#}"))
}

fn codes(bill: &Value) -> Vec<&str> {
    bill["notes"].as_array().unwrap().iter().map(|note| note["code"].as_str().unwrap()).collect()
}

#[test]
fn a_bucket_is_priced_by_one_listing_of_what_lies_in_it() {
    let bucket = bucket();
    (0..10).for_each(|days| put_in_bucket(&bucket, "app", days_ago(days)));
    (40..45).for_each(|days| put_in_bucket(&bucket, "old", days_ago(days)));
    let proxy = Proxy::start(&bucket.access().endpoint);
    let agent = agent().bucket(bucket.name(), &bucket.access().through(&proxy));
    let bill = agent.run(&["cost", "--json"]).succeeds().json();
    assert_eq!(proxy.requests().len(), 1, "{:#?}", proxy.requests());
    let stored: u64 = bucket.objects().iter().filter(|object| object.key.ends_with(".gz")).map(|o| o.size).sum();
    let (app, old) = (&bill["databases"][0], &bill["databases"][1]);
    assert_eq!(
        (&app["database"], &app["archives"], &app["perDay"], &app["days"]),
        (&"app".into(), &10.into(), &1.0.into(), &90.0.into())
    );
    assert_eq!((&old["database"], &old["archives"], &old["perDay"]), (&"old".into(), &5.into(), &0.0.into()));
    assert_eq!(app["bytes"].as_u64().unwrap() + old["bytes"].as_u64().unwrap(), stored);
    assert!(item(&bill, "storage-records")["quantities"][0]["quantity"].as_f64().is_some());
    assert!(codes(&bill).contains(&"stopped"), "{bill:#}");
    let words = agent.run(&["cost"]).succeeds().mentions(bucket.name()).mentions("a month").mentions("LIST PRICE");
    words.mentions("app: 1 a day of ").mentions("old had no new backup in the last 30 days");
}

/// No settings, no keys, no network: an address that nobody listens at would be noticed.
#[test]
fn a_scenario_asks_nobody() {
    let proxyless = Agent::new().setting("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let bill = proxyless.run(&["cost", "--size", "50MB", "--per-day", "1", "--json"]).succeeds().json();
    assert_eq!(bill["repository"], Value::Null);
    assert_eq!(bill["databases"][0]["archives"], 90);
    assert_eq!(bill["databases"][0]["inGlacier"], 60);
    assert_eq!(item(&bill, "alarms")["listPrice"], 1.0);
    assert_eq!(item(&bill, "alarms")["toPay"], 0.0);
    assert!(codes(&bill).contains(&"glacier-minimum"), "{bill:#}");
    let month = bill["month"]["toPay"].as_f64().unwrap();
    let year = bill["year"]["toPay"].as_f64().unwrap();
    assert!(month > 0.0 && (year - 12.0 * month).abs() < 0.001, "{bill:#}");
}

#[test]
fn a_scenario_takes_its_days_from_the_settings() {
    let agent = Agent::new().setting("BACKUP_S3_DELETE_DAYS", "14").setting("BACKUP_S3_GLACIER_DAYS", "0");
    let bill = agent.run(&["cost", "--size", "1.5GB", "--json"]).succeeds().json();
    assert_eq!((&bill["databases"][0]["days"], &bill["databases"][0]["glacierDays"]), (&14.0.into(), &Value::Null));
    assert_eq!(bill["databases"][0]["size"], 1_500_000_000);
    let agent = Agent::new().setting("BACKUP_KEEP_DAILY", "7");
    agent.run(&["cost", "--size", "1GB"]).exits(2).mentions("--days");
    agent.run(&["cost", "--size", "1GB", "--days", "30"]).succeeds();
}

#[test]
fn what_has_no_price_says_what_has() {
    let folder = tempfile::tempdir().unwrap();
    agent().directory(folder.path()).run(&["cost"]).exits(2).mentions("lastgood cost --size");
    let bucket = bucket();
    let agent = agent().bucket(bucket.name(), bucket.access());
    agent.run(&["cost"]).exits(5).mentions("lastgood cost --size");
    agent.run(&["cost", "--per-day", "2"]).exits(2).mentions("--size");
    agent.run(&["cost", "--size", "50 apples"]).exits(2).mentions("expected one of the units KiB");
}
