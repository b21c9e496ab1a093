use catalog::{Layout, Object, catalogs};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::bill::Bill;
use super::load::{Load, Rhythm, Stream};
use super::stack::{self, Stack};
use super::{CostAnswer, found, imagined};
use crate::answers::report::Report;
use crate::cli::CostArgs;
use crate::money::Dollars;
use crate::prices::{LOOKED_UP, Meter};
use crate::settings::{Given, SIZE, Settings};

const MB: f64 = 1e6;
const GIB: f64 = 1_073_741_824.0;

/// As on a machine without any setting.
fn settings() -> Settings {
    Settings::load(&given(), Report::default()).unwrap()
}

fn given() -> Given {
    let nothing = || Some("/dev/null".into());
    Given { config: nothing(), env_file: nothing(), ..Given::default() }
}

pub(super) fn scenario(size: &str, days: u32, glacier_days: u32) -> CostAnswer {
    let size = (SIZE.parse)(size).unwrap();
    let args =
        CostArgs { per_day: Some(1.0), days: Some(days), glacier_days: Some(glacier_days), ..CostArgs::default() };
    imagined(size, &args, &settings()).unwrap()
}

/// `lastgood cost --size 50MB --per-day 1`.
pub(super) fn usual() -> CostAnswer {
    let args = CostArgs { per_day: Some(1.0), ..CostArgs::default() };
    imagined(50_000_000, &args, &settings()).unwrap()
}

fn load(databases: f64, per_day: f64, size: f64, days: f64, glacier_days: Option<f64>) -> Load {
    let rhythm = Rhythm { per_day, guessed: false, size, days: Some(days), glacier_days };
    Load { streams: vec![Stream::steady(databases, rhythm).unwrap()], stack: Stack::default() }
}

fn list_price(bill: &Bill, item: &str) -> f64 {
    let found = bill.items.iter().find(|line| line.item == item);
    found.unwrap_or_else(|| panic!("no {item}: {:#?}", bill.items)).amounts.list_price.0
}

fn is(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
}

#[test]
fn a_bill_reads_like_this() {
    insta::assert_snapshot!("usual", usual().to_string());
    insta::assert_snapshot!("large-and-short-in-glacier", scenario("2GB", 40, 30).to_string());
    insta::assert_snapshot!("small-without-glacier", scenario("1MiB", 90, 30).to_string());
}

/// A database in its second month, whose older archives are in Glacier, and one whose backups stopped.
#[test]
fn a_bucket_s_bill_reads_like_this() {
    let now: Timestamp = "2026-11-22T04:00:00Z".parse().unwrap();
    let object = |key: String, size, made, readable| Object {
        key,
        size,
        last_modified: made,
        etag: None,
        version_id: None,
        readable,
    };
    let backup = |database: &str, days: i64| {
        let made = now - SignedDuration::from_hours(24 * days + 1);
        let key = format!("b/{}/{database}_backup_{}", made.strftime("%Y%m%d"), made.strftime("%Y%m%d_%H%M%S"));
        let archive = object(format!("{key}.sql.gz"), 300_000_000, made, days <= 30);
        let records =
            [".manifest.json", ".intact.json"].map(|suffix| object(format!("{key}{suffix}"), 4_000, made, true));
        [archive].into_iter().chain(records)
    };
    let shop = (0..45).flat_map(|days| backup("shop", days));
    let blog = (60..65).flat_map(|days| backup("blog", days));
    let mark = object("b/databases/shop.json".to_owned(), 100, now, true);
    let catalogs = catalogs(&Layout::bucket("b"), shop.chain(blog).chain([mark]));
    let answer = found("s3://my-backups/b", &catalogs, &CostArgs::default(), &settings(), now).unwrap();
    insta::assert_snapshot!("bucket", answer.to_string());
    let kept_for_ever = CostArgs { glacier_days: Some(0), ..CostArgs::default() };
    let settings =
        Settings::load(&Given { flags: vec![("BACKUP_KEEP_YEARLY", "--", "2".into())], ..given() }, Report::default());
    let answer = found("s3://my-backups/b", &catalogs, &kept_for_ever, &settings.unwrap(), now).unwrap();
    assert!(answer.to_string().contains("Nothing is removed by age here: 8.5 GiB are added each month"), "{answer}");
}

#[test]
fn storage_is_gb_months_of_two_to_the_thirty() {
    let bill = Bill::of(&load(1.0, 1.0, GIB, 90.0, None));
    is(list_price(&bill, "storage-standard"), 90.0 * 0.023);
    assert!(!bill.items.iter().any(|line| line.item.contains("glacier")));
}

#[test]
fn what_leaves_glacier_early_is_billed_for_ninety_days() {
    let (archive, name) = ((GIB + 32.0 * 1024.0) / GIB * 0.0036, 8.0 * 1024.0 / GIB * 0.023);
    let bill = Bill::of(&load(1.0, 1.0, GIB, 90.0, Some(30.0)));
    is(list_price(&bill, "storage-standard"), 30.0 * 0.023);
    is(list_price(&bill, "storage-glacier"), 60.0 * (archive + name));
    is(list_price(&bill, "storage-glacier-minimum"), 30.0 * (archive + name));
    is(list_price(&bill, "glacier-moves"), 365.25 / 12.0 * 0.03 / 1000.0);
    let long = Bill::of(&load(1.0, 1.0, GIB, 365.0, Some(30.0)));
    assert!(!long.items.iter().any(|line| line.item == "storage-glacier-minimum"));
}

#[test]
fn what_the_rule_leaves_or_retention_removes_first_never_reaches_glacier() {
    for load in [load(1.0, 1.0, 16.0 * 1024.0 * 1024.0, 90.0, Some(30.0)), load(1.0, 1.0, GIB, 30.0, Some(30.0))] {
        let bill = Bill::of(&load);
        assert!(!bill.items.iter().any(|line| line.item.contains("glacier")), "{:#?}", bill.items);
    }
}

/// 2,922 scheduled looks; each lists the last days, reads three records and puts one. Each day the history is noted twice, and the page made of
/// fourteen backups.
#[test]
fn watching_costs_the_same_for_small_and_large_backups() {
    let of = |size| list_price(&Bill::of(&load(1.0, 1.0, size, 14.0, None)), "requests-freshness");
    let looks = 96.0 * 365.25 / 12.0;
    let page = 365.25 / 12.0 * (5.0 * 0.005 + 34.0 * 0.0004);
    is(of(MB), (looks * (2.0 * 0.005 + 3.0 * 0.0004) + page) / 1000.0);
    is(of(MB), of(1e12));
}

/// Weekly backups of ten databases: what lies further back is asked for once a day, and not at each look. The page needs fewer records, and
/// three pages of the listing less.
#[test]
fn databases_with_nothing_in_the_last_days_are_listed_by_themselves_once_a_day() {
    let weekly = Bill::of(&load(10.0, 1.0 / 7.0, MB, 90.0, None));
    let daily = Bill::of(&load(10.0, 1.0, MB, 90.0, None));
    let more = list_price(&weekly, "requests-freshness") - list_price(&daily, "requests-freshness");
    let less = 3.0 * 0.005 + 2.0 * (500.0 - 900.0 / 7.0) * 0.0004;
    is(more, 365.25 / 12.0 * (10.0 * 2.0 * 0.005 - less) / 1000.0);
}

#[test]
fn ten_metrics_ten_alarms_and_a_dashboard_are_free_and_have_a_price() {
    let bill = Bill::of(&load(1.0, 1.0, MB, 90.0, None));
    for (item, price) in [("alarms", 1.0), ("dashboard", 3.0)] {
        is(list_price(&bill, item), price);
    }
    let watching = ["metrics", "alarms", "dashboard", "logs", "mails", "function-verify", "function-freshness"];
    is(bill.to_pay_for(&watching).0, 0.0);
    let mut more = load(1.0, 1.0, MB, 90.0, None);
    more.stack = Stack { per_database_metrics: true, paging: true, ..Stack::default() };
    is(Bill::of(&more).to_pay_for(&["metrics"]).0, 16.0 * 0.30);
    is(Bill::of(&more).to_pay_for(&["composite-alarm"]).0, 0.50);
    more.stack = Stack { drills: true, ..Stack::default() };
    is(Bill::of(&more).to_pay_for(&["metrics", "alarms"]).0, 0.40);
}

#[test]
fn arm_costs_a_fifth_less() {
    let mut load = load(1.0, 24.0, 1e12, 90.0, None);
    let x86 = list_price(&Bill::of(&load), "function-verify");
    load.stack.arm64 = true;
    let arm = list_price(&Bill::of(&load), "function-verify");
    assert!((0.79..0.81).contains(&(arm / x86)), "{}", arm / x86);
}

#[test]
fn a_restore_pays_for_its_way_out_only_beyond_the_free_hundred_gb() {
    let restore = |size: f64| Bill::of_restore(&load(1.0, 1.0, size, 90.0, Some(30.0)).streams[0]);
    let small = restore(50.0 * GIB);
    is(list_price(&small, "restore-transfer"), 50.0 * 0.09);
    is(small.to_pay_for(&["restore-transfer"]).0, 0.0);
    is(restore(150.0 * GIB).to_pay_for(&["restore-transfer"]).0, 50.0 * 0.09);
    is(list_price(&small, "restore-glacier"), 50.0 * 0.01 + 0.05 / 1000.0);
}

#[test]
fn every_price_has_a_page_and_the_table_a_date() {
    assert!(LOOKED_UP.parse::<jiff::civil::Date>().is_ok());
    for meter in Meter::ALL {
        let price = meter.price();
        assert!(
            price.page.starts_with("https://aws.amazon.com/") && price.dollars > 0.0 && price.per >= 1.0,
            "{meter:?}"
        );
    }
}

/// The stack's numbers are the template's.
#[test]
fn the_template_is_what_is_priced() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let count = |text: &str| template.lines().filter(|line| line.trim() == text).count() as f64;
    is(count("Type: AWS::CloudWatch::Alarm") - count("Condition: WithDrills"), stack::ALARMS);
    is(count("Type: AWS::CloudWatch::Dashboard"), 1.0);
    is(count("Type: AWS::Scheduler::Schedule"), 1.0 + stack::OTHER_RUNS_A_DAY);
    is(count("ScheduleExpression: rate(15 minutes)"), 1.0);
    is(stack::FRESHNESS_RUNS_A_DAY, 24.0 * 4.0);
    // In parts a byte is read as often.
    is(count("MemorySize: !Ref VerifyMemory"), 2.0);
    is(count("Type: AWS::Lambda::EventSourceMapping"), stack::QUEUES);
    is(count("MaximumBatchingWindowInSeconds: 300"), 1.0);
    is(stack::WINDOWS_A_DAY, 86_400.0 / 300.0);
    for gigabytes in [stack::RETENTION_GB, stack::FRESHNESS_GB] {
        is(count(&format!("MemorySize: {}", gigabytes * 1024.0)), 1.0);
    }
    is(count(&format!("ObjectSizeGreaterThan: '{}'", stack::GLACIER_ABOVE)), 1.0);
    let default = |parameter: &str| {
        let (_, rest) = template.split_once(&format!("\n  {parameter}:\n")).unwrap();
        let line = rest.lines().find(|line| line.trim().starts_with("Default:")).unwrap();
        line.trim().trim_start_matches("Default: ").parse::<f64>().unwrap()
    };
    is(default("VerifyMemory"), stack::VERIFY_GB * 1024.0);
    is(default("ReverifyAfterDays"), stack::REVERIFY_DAYS);
    let settings = settings();
    is(default("GlacierDays"), f64::from(settings.glacier_days.unwrap()));
    is(default("DeleteAfterDays"), f64::from(settings.server().policy.delete_after_days.unwrap()));
}

/// docs/cloud.md lists what is published.
#[test]
fn the_metrics_of_the_page_are_priced() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cloud.md")).unwrap();
    let (_, rest) = page.split_once("| metric | unit |").unwrap();
    let rows = rest.split("\n\n").next().unwrap().lines().skip(2);
    let rows: Vec<&str> = rows.filter(|row| !row.contains("only with `DrillMaxAgeDays`")).collect();
    let of_databases = rows.iter().filter(|row| row.contains("only with Database")).count();
    let of_none = rows.iter().filter(|row| row.contains("never with Database")).count();
    is((rows.len() - of_none) as f64, stack::METRICS_OF_A_DATABASE);
    is((rows.len() - of_databases) as f64, stack::METRICS);
}

fn loads() -> impl Strategy<Value = (f64, f64, f64, f64, Option<f64>)> {
    let glacier = proptest::option::of(1.0..400.0);
    (1.0..200.0f64, 1.0..100.0, 1.0..1e13, 1.0..3_000.0, glacier).prop_map(|(n, per_day, size, days, glacier)| {
        let glacier: Option<f64> = glacier;
        (n.floor(), per_day, size, days, glacier)
    })
}

fn total((databases, per_day, size, days, glacier): (f64, f64, f64, f64, Option<f64>)) -> (Dollars, Dollars) {
    let total = Bill::of(&load(databases, per_day, size, days, glacier)).total;
    (total.list_price, total.to_pay)
}

proptest! {
    #[test]
    fn what_is_free_takes_off_and_never_adds(given in loads()) {
        let (databases, per_day, size, days, glacier) = given;
        let bill = Bill::of(&load(databases, per_day, size, days, glacier));
        for item in &bill.items {
            let (list, pay) = (item.amounts.list_price, item.amounts.to_pay);
            prop_assert!(list.0.is_finite() && pay >= Dollars(0.0) && pay <= list, "{item:?}");
        }
    }

    #[test]
    fn more_is_never_cheaper(given in loads()) {
        let (databases, per_day, size, days, glacier) = given;
        let (list, pay) = total(given);
        let more = [
            (databases * 2.0, per_day, size, days, glacier),
            (databases, per_day * 2.0, size, days, glacier),
            (databases, per_day, size, days + 1.0, glacier),
        ];
        for more in more {
            let (more_list, more_pay) = total(more);
            prop_assert!(more_list >= list && more_pay >= pay, "{more:?}: {more_list} {more_pay}, not {list} {pay}");
        }
        // A larger archive may cross the size from which Glacier takes it, and be cheaper there.
        let (list, pay) = total((databases, per_day, size, days, None));
        let (more_list, more_pay) = total((databases, per_day, size * 1.5, days, None));
        prop_assert!(more_list >= list && more_pay >= pay);
    }
}
