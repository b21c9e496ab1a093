//! Listings: whole, and "newest" without listing all.

use e2e::bucket::{Bucket, wait};
use e2e::proxy::{Direction, Fault, Proxy};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use repository::Scope;

use super::{bucket, connect};

/// Puts many small objects side by side.
async fn put_all(bucket: &Bucket, keys: Vec<String>) {
    for batch in keys.chunks(64) {
        let puts: Vec<_> = batch
            .iter()
            .map(|key| {
                let put = bucket
                    .client()
                    .put_object()
                    .bucket(bucket.name())
                    .key(key)
                    .body("x".to_owned().into_bytes().into());
                tokio::spawn(put.send())
            })
            .collect();
        for put in puts {
            put.await.unwrap().unwrap();
        }
    }
}

/// Good backups at three in the morning: all archives first, for a verdict from before its archive says nothing.
async fn put_good(bucket: &Bucket, days: impl Iterator<Item = Date>) {
    let days: Vec<_> = days.map(|day| day.strftime("%Y%m%d").to_string()).collect();
    for suffix in [".sql.gz", ".manifest.json", ".intact.json"] {
        let key = |day: &String| format!("backups/{day}/app_backup_{day}_030000{suffix}");
        put_all(bucket, days.iter().map(key).collect()).await;
    }
}

fn today() -> Date {
    Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn days_before(day: Date, count: i32) -> impl Iterator<Item = Date> {
    (0..count).map(move |back| day - back.days())
}

/// Keys an odd user left beside ours: each would break a listing that isn't careful.
const ODD: [&str; 4] = ["backups/a b+c%2Bd.sql", "backups/é\u{1}.sql", "backups/20260120/", "backups/<&>.sql"];

#[test]
fn a_listing_of_more_than_a_thousand_keys_is_whole() {
    let bucket = bucket();
    let keys: Vec<String> = (0..1_100).map(|n| format!("backups/20260120/app_backup_{n:04}.sql.gz")).collect();
    wait(async {
        put_all(&bucket, keys.clone()).await;
        put_all(&bucket, vec!["backups/databases/app.json".into(), "elsewhere/x".into()]).await;
        let repository = connect(bucket.access(), &bucket).await;
        let listed: Vec<String> =
            repository.objects(Scope::All).await.unwrap().into_iter().map(|object| object.key).collect();
        assert_eq!(listed[..1_100], keys);
        assert_eq!(listed[1_100..], ["backups/databases/app.json"]);
        assert_eq!(repository.objects(Scope::Day(date(2026, 1, 20))).await.unwrap().len(), 1_100);
        assert_eq!(repository.objects(Scope::Databases).await.unwrap().len(), 1);
    });
}

#[test]
fn odd_keys_come_back_as_they_are() {
    let bucket = bucket();
    wait(async {
        put_all(&bucket, ODD.map(str::to_owned).into()).await;
        let repository = connect(bucket.access(), &bucket).await;
        let mut listed: Vec<String> =
            repository.objects(Scope::All).await.unwrap().into_iter().map(|object| object.key).collect();
        listed.sort();
        let mut expected = ODD;
        expected.sort_unstable();
        assert_eq!(listed, expected);
    });
}

#[test]
fn a_listing_that_breaks_off_is_an_error_not_a_shorter_listing() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    wait(async {
        put_all(&bucket, (0..1_100).map(|n| format!("backups/20260120/app_backup_{n:04}.sql.gz")).collect()).await;
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        assert_eq!(repository.objects(Scope::All).await.unwrap().len(), 1_100);
        // In the second page, which is an eleventh of both.
        proxy.set(Fault::GoAway(Direction::Down, proxy.bytes(Direction::Down) * 97 / 100));
        assert!(repository.objects(Scope::All).await.unwrap_err().is_network());
    });
}

/// The requests that asking for the newest good backup takes.
fn requests_for_newest(bucket: &Bucket, now: Timestamp, expected: Option<&str>) -> usize {
    let proxy = Proxy::start(&bucket.access().endpoint);
    wait(async {
        let repository = connect(&bucket.access().through(&proxy), bucket).await;
        let newest = repository.newest_good("app", now).await.unwrap();
        assert_eq!(newest.map(|entry| entry.id.to_string()).as_deref(), expected);
    });
    proxy.requests().len()
}

#[test]
fn the_newest_good_backup_costs_one_request_with_ten_and_with_three_thousand() {
    let yesterday = today() - 1.day();
    let newest = format!("{0}/app_backup_{0}_030000", yesterday.strftime("%Y%m%d"));
    for count in [10, 3_000] {
        let bucket = bucket();
        wait(put_good(&bucket, days_before(yesterday, count)));
        // Another database's, newer, and of a name that begins alike.
        let other = today().strftime("%Y%m%d");
        wait(put_all(&bucket, vec![format!("backups/{other}/app_staging_backup_{other}_030000.sql.gz")]));
        assert_eq!(requests_for_newest(&bucket, Timestamp::now(), Some(&newest)), 1, "{count}");
    }
}

#[test]
fn other_databases_crowded_days_are_skipped() {
    let bucket = bucket();
    let crowd = |day: Date| {
        let day = day.strftime("%Y%m%d");
        (0..1_200).map(move |n| format!("backups/{day}/a{n:04}_backup_{day}_030000.sql.gz"))
    };
    wait(put_all(&bucket, days_before(today(), 3).flat_map(crowd).collect()));
    wait(put_good(&bucket, [today() - 2.days()].into_iter()));
    let newest = format!("{0}/app_backup_{0}_030000", (today() - 2.days()).strftime("%Y%m%d"));
    let requests = requests_for_newest(&bucket, Timestamp::now(), Some(&newest));
    assert!(requests <= 7, "{requests}");
}

#[test]
fn an_old_good_backup_is_found_behind_newer_ones_that_are_not_good() {
    let bucket = bucket();
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    wait(put_good(&bucket, [date(2023, 5, 6)].into_iter()));
    let newer = ["20261121/app_backup_20261121_030000.sql.gz", "20261121/app_backup_20261121_030000.manifest.json"];
    let newer = newer.into_iter().chain(["20261101/app_backup_20261101_030000.sql.gz"]);
    wait(put_all(&bucket, newer.map(|key| format!("backups/{key}")).collect()));
    let requests = requests_for_newest(&bucket, now, Some("20230506/app_backup_20230506_030000"));
    assert_eq!(requests, 4, "one for each window");
}

#[test]
fn a_guest_spelling_of_a_name_is_found_beside_ours() {
    let bucket = bucket();
    let day = today().strftime("%Y%m%d").to_string();
    let keys = ["my app", "my.20app"].map(|name| format!("backups/{day}/{name}_backup_{day}_030000.sql.gz"));
    wait(put_all(&bucket, keys.into()));
    let entries = wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        repository.recent("my app", Timestamp::now()).await.unwrap().entries
    });
    assert_eq!(entries.len(), 2, "{entries:?}");
}

#[test]
fn a_folder_from_a_wrong_clock_s_future_hides_nothing_newer() {
    let bucket = bucket();
    // Stored just now: that is its instant, whatever its folder says. One stored later is newer.
    wait(async {
        put_good(&bucket, [today() + 400.days()].into_iter()).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        put_good(&bucket, [today() + 2.days()].into_iter()).await;
    });
    let newest = format!("{0}/app_backup_{0}_030000", (today() + 2.days()).strftime("%Y%m%d"));
    requests_for_newest(&bucket, Timestamp::now(), Some(&newest));

    // Asked by a clock that is ahead: the windows begin after all of them, and reach back until they are in.
    let ahead = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 200);
    requests_for_newest(&bucket, ahead, Some(&newest));
}

#[test]
fn never_is_told_in_a_few_requests() {
    let bucket = bucket();
    let requests = requests_for_newest(&bucket, Timestamp::now(), None);
    assert_eq!(requests, 4, "one for each window");
}
