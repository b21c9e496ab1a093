//! A thousand backups and more: what costs a request each would show. `make bench` does the same with a hundred thousand, and
//! `make scale` with a thousand databases.

use std::time::Instant;

use e2e::functions::Function;
use e2e::history;
use e2e::proxy::Proxy;
use e2e::tools;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{AMPLE, Ground, hearers};

const DATABASES: [&str; 3] = ["app", "shop", "site"];

/// The first run of a day makes the page, and asks for the records of at most 500 backups for it: what the others cost is measured
/// after it.
fn make_the_page(ground: &Ground) {
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let setup = ground.function_as("freshness", &ground.bucket.access().through(&proxy));
    let answer = Function::start(&setup).invoke(&json!({"action": "measure"}), AMPLE).done();
    let databases = answer["databases"].as_array().unwrap().len();
    assert!(ground.bucket.keys().contains(&"backups/status/report.html".to_owned()));
    let requests = proxy.requests().len();
    // Three for each record; of each database a history is read and written, a mark, a verdict, a drill; and some listings.
    assert!(requests <= 3 * 500 + 6 * databases + 50, "{requests} requests for the page of {databases} databases");
}

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
        // So far apart that the last days are less than a page, whatever time it is.
        history::fill_every(&ground.bucket, &DATABASES, count, SignedDuration::from_hours(2));
        ground
    });
    [&few, &many].into_iter().for_each(make_the_page);
    let measured = [&few, &many].map(|ground| requests(ground, "freshness", "measure").0);
    // What was told before, one listing of the last days, and a mark, a verdict and a history for each; then what was told.
    assert_eq!(measured, [12, 12], "the same with ten times as many backups");

    let (planned, retention) = requests(&many, "retention", "prune");
    // 6,003 objects in pages of a thousand, what was removed today, and an entry for each database.
    assert_eq!(planned, 7 + 1 + 3);
    assert!(retention.peak_memory() < 64 << 20, "{} MiB", retention.peak_memory() >> 20);
}

/// CloudWatch takes a thousand at once.
#[test]
fn more_than_two_thousand_measures_go_in_three_requests() {
    let ground = Ground::new();
    let databases: Vec<String> = (0..425).map(|number| format!("shop{number}")).collect();
    history::fill(&ground.bucket, &databases.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    let cloudwatch = Proxy::start(&hearers().root().endpoint);
    let setup = ground.function("freshness").reports_to(&hearers().root().through(&cloudwatch));
    Function::start(&setup).invoke(&json!({"action": "measure"}), AMPLE).done();
    let published = cloudwatch.requests().iter().filter(|request| request.target.ends_with("PutMetricData")).count();
    assert_eq!(published, 3, "{:?}", cloudwatch.requests());
    assert!(ground.metric("BackupSize", Some("shop424")).is_some(), "the last of 2,557");
}

/// Each database's own requests are remembered by a warm function: then the databases cost their share of one listing.
#[test]
fn databases_cost_freshness_a_share_of_one_listing_and_not_a_listing_each() {
    let ground = Ground::new();
    let databases: Vec<String> = (0..100).map(|number| format!("shop{number}")).collect();
    let mut names: Vec<&str> = databases.iter().map(String::as_str).collect();
    history::fill(&ground.bucket, &names, 4);
    names.truncate(10);
    // Ten have nothing in the last days.
    for key in ground.bucket.keys().iter().filter(|key| key.ends_with(".intact.json")) {
        if names.iter().any(|name| key.contains(&format!("/{name}_backup_"))) {
            ground.bucket.delete(key);
        }
    }
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let mut freshness = Function::start(&ground.function_as("freshness", &ground.bucket.access().through(&proxy)));
    freshness.invoke(&json!({"action": "measure"}), AMPLE).done();
    let cold = proxy.requests().len();
    proxy.clear_requests();
    freshness.invoke(&json!({"action": "measure"}), AMPLE).done();
    let warm = proxy.requests().len();
    let lists = proxy.requests().iter().filter(|request| request.target.contains("list-type")).count();
    assert!(cold - warm >= 190, "100 marks and 90 verdicts were read again: {cold}, {warm}");
    // Twice 1,660 keys; the ten are asked for one by one, in four windows each: three requests where all of it lies in one day.
    assert!(lists <= 4 + 10 * 6, "{lists} of {warm}");
}

/// Whoever stops backing up is asked about once a day, a few in one run, and what was found outlives the process.
#[test]
fn fifty_databases_without_a_backup_for_months_cost_a_few_listings_a_run_until_all_are_known() {
    let ground = Ground::new();
    let names = |kind: &str, count| (0..count).map(|number| format!("{kind}{number}")).collect::<Vec<_>>();
    let (dead, living) = (names("dead", 50), names("living", 10));
    let [dead, living] = [&dead, &living].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    history::fill(&ground.bucket, &living, 1);
    let newest = Timestamp::now() - SignedDuration::from_hours(24 * 60);
    history::fill_before(&ground.bucket, &dead, 3, SignedDuration::from_hours(24), newest);
    let proxy = Proxy::start(&ground.bucket.access().endpoint);
    let start = || Function::start(&ground.function_as("freshness", &ground.bucket.access().through(&proxy)));
    // How often it listed, and how many of the dead ones it knows the last good backup of.
    let measure = |freshness: &mut Function| {
        proxy.clear_requests();
        let answer = freshness.invoke(&json!({"action": "measure"}), AMPLE).done();
        let lists = proxy.requests().iter().filter(|request| request.target.contains("list-type")).count();
        let rows = answer["databases"].as_array().unwrap();
        let is_known =
            |row: &&Value| row["database"].as_str().unwrap().starts_with("dead") && row["newestGood"].is_string();
        let is_stale = |row: &&Value| row["staleness"].as_f64().is_none_or(|share| share > 1.0);
        assert_eq!(rows.iter().filter(is_stale).count(), 50, "{answer}");
        (lists, rows.iter().filter(is_known).count())
    };
    let mut freshness = start();
    let runs: Vec<(usize, usize)> = (0..8).map(|_| measure(&mut freshness)).collect();
    let known: Vec<usize> = runs.iter().map(|(_, known)| *known).collect();
    assert_eq!(known, [8, 16, 24, 32, 40, 48, 50, 50], "{runs:?}");
    // Twice the last days, and for each that is asked the windows down to its day.
    assert!(runs.iter().all(|(lists, _)| *lists <= 2 + 8 * 8), "{runs:?}");
    assert_eq!(runs[7].0, 1, "all are known: {runs:?}");
    assert_eq!(measure(&mut start()), (1, 50), "another process");
}

/// Whether `make scale` asks, and there is time.
pub(super) fn is_full() -> bool {
    std::env::var_os("SCALE").is_some()
}

/// Prints a table; `make scale` writes it into docs/performance.md, between its marks.
pub(super) fn report(name: &str, head: &str, rows: impl Iterator<Item = String>) {
    let table = rows.fold(head.to_owned(), |table, row| table + "\n" + &row);
    println!("{table}");
    if !is_full() {
        return;
    }
    let file = tools::root().join("docs/performance.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (begin, end) = (format!("<!-- scale: {name} -->\n"), format!("\n<!-- end of scale: {name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin:?} in {}", file.display()));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end:?} in {}", file.display()));
    std::fs::write(&file, format!("{before}{begin}{table}{end}{after}")).unwrap();
}

/// One prefix carries many databases: each asks for two or three requests of a new process of freshness, and retention lists everything once.
#[test]
fn many_databases_cost_a_few_requests_each() {
    let (databases, days) = if is_full() { (1_000, 90) } else { (50, 10) };
    let names: Vec<String> = (0..databases).map(|number| format!("shop{number}")).collect();
    let ground = Ground::new();
    history::fill_every(&ground.bucket, &names.iter().map(String::as_str).collect::<Vec<_>>(), days, DAY);
    make_the_page(&ground);
    let objects = names.len() * (days as usize * 4 + 2);
    let mut rows = Vec::new();
    for (function, action, most) in
        [("freshness", "measure", 3 * names.len() + 50), ("retention", "prune", names.len() + objects / 1_000 + 2)]
    {
        let proxy = Proxy::start(&ground.bucket.access().endpoint);
        let setup = ground.function_as(function, &ground.bucket.access().through(&proxy));
        let mut process = Function::start(&setup.setting("BACKUP_S3_DELETE_DAYS", "0"));
        let begun = Instant::now();
        let answer = process.invoke(&json!({"action": action, "dryRun": true}), AMPLE).done();
        let (seconds, requests) = (begun.elapsed().as_secs_f64(), proxy.requests().len());
        assert_eq!(answer["databases"].as_array().unwrap().len(), names.len());
        assert!(requests <= most, "{function}: {requests} requests for {databases} databases");
        let memory = process.peak_memory() >> 20;
        rows.push(format!("| {function} | {databases} × {days} | {requests} | {seconds:.1} s | {memory} MiB |"));
    }
    let head = "| | databases × days | requests to S3 | time | peak |\n|---|--:|--:|--:|--:|";
    report("databases", head, rows.into_iter());
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
