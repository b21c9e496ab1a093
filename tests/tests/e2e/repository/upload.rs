//! Uploads: whole or not at all.

use std::time::{Duration, Instant};

use bytes::Bytes;
use e2e::bounds::{MOMENT, wait_until};
use e2e::bucket::{Bucket, wait};
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use repository::{Checksum, Error, Repository};

use super::{KEY, MIB, bucket, connect, digest, heal_when_asked, metadata, noise, settings, store, until};

/// What every failed upload must leave behind.
fn assert_nothing_is_left(bucket: &Bucket) {
    assert_eq!(bucket.keys(), Vec::<String>::new());
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
}

#[test]
fn parts_in_flight_arrive_as_one_archive_with_its_full_checksum() {
    let bucket = bucket();
    let bytes = noise(23 * MIB + 12_345);
    let stored = wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let stored = store(&repository, KEY, "run-1", &bytes).await.unwrap();
        let head = repository.head(KEY).await.unwrap().unwrap();
        assert_eq!(head.crc64nvme, Some(digest(&bytes).crc64nvme));
        assert_eq!(head.lastgood_id(), Some("run-1"));
        stored
    });
    assert!(bucket.get(KEY) == bytes);
    assert_eq!(stored.size, bytes.len() as u64);
    assert!(stored.etag.is_some_and(|etag| etag.ends_with("-5")), "five parts");
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
    let head = bucket.head(KEY);
    assert_eq!(head.content_type(), Some("application/gzip"));
    assert_eq!(head.metadata().unwrap()["database"], "my caf%C3%A9");
}

#[test]
fn an_archive_smaller_than_a_part_is_one_put() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let stored = wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        store(&repository, KEY, "run-1", b"small").await.unwrap()
    });
    // This isn't AWS: a look at what is there comes first, and one at what was stored last.
    let methods: Vec<String> = proxy.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["GET", "PUT", "HEAD"]);
    assert_eq!(bucket.get(KEY), b"small");
    assert_eq!(stored.crc64nvme, Some(digest(b"small").crc64nvme));
    assert_eq!(bucket.head(KEY).metadata().unwrap()["lastgood-id"], "run-1");
}

#[test]
fn other_checksums_store_the_same_bytes() {
    for checksum in [Checksum::Md5, Checksum::None] {
        let bucket = bucket();
        let bytes = noise(7 * MIB);
        wait(async {
            let settings = repository::BucketSettings { checksum, ..settings(bucket.access(), &bucket) };
            let repository = Repository::bucket(settings).await.unwrap();
            store(&repository, KEY, "run-1", &bytes).await.unwrap();
        });
        assert!(bucket.get(KEY) == bytes, "{checksum:?}");
    }
}

#[test]
fn a_second_archive_under_the_same_key_is_refused_and_the_first_stays() {
    for second in [noise(3), noise(6 * MIB)] {
        let bucket = bucket();
        bucket.put(KEY, b"the first");
        let refused = wait(async {
            let repository = connect(bucket.access(), &bucket).await;
            store(&repository, KEY, "run-2", &second).await
        });
        assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
        assert_eq!(bucket.get(KEY), b"the first");
        assert_eq!(bucket.open_uploads(), Vec::<String>::new());
    }
}

#[test]
fn the_same_bytes_under_the_same_key_are_told_apart_by_nothing_and_so_accepted() {
    let bucket = bucket();
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        store(&repository, KEY, "run-1", b"same").await.unwrap();
        store(&repository, KEY, "run-2", b"same").await.unwrap();
    });
    assert_eq!(bucket.head(KEY).metadata().unwrap()["lastgood-id"], "run-1");
}

#[test]
fn an_aborted_upload_leaves_nothing() {
    let bucket = bucket();
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let mut upload = repository.start_upload(KEY, &metadata("run-1")).await.unwrap();
        upload.write(noise(12 * MIB).into()).await.unwrap();
        upload.abort().await;
    });
    assert_nothing_is_left(&bucket);
}

#[test]
fn a_dropped_upload_leaves_nothing() {
    let bucket = bucket();
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let mut upload = repository.start_upload(KEY, &metadata("run-1")).await.unwrap();
        upload.write(noise(12 * MIB).into()).await.unwrap();
        drop(upload);
    });
    wait_until("the upload is aborted", || bucket.open_uploads().is_empty());
    assert_nothing_is_left(&bucket);
}

#[test]
fn bytes_other_than_those_digested_are_refused_and_leave_nothing() {
    let bucket = bucket();
    let refused = wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let mut upload = repository.start_upload(KEY, &metadata("run-1")).await.unwrap();
        upload.write(noise(12 * MIB).into()).await.unwrap();
        upload.complete(&digest(b"others")).await
    });
    assert!(matches!(refused, Err(Error::Checksum { .. })), "{refused:?}");
    assert_nothing_is_left(&bucket);
}

#[test]
fn an_upload_cut_in_the_middle_goes_on_and_arrives_whole() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let bytes = noise(16 * MIB);
    wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        proxy.set(Fault::CutOnce(Direction::Up, 7_000_000));
        store(&repository, KEY, "run-1", &bytes).await.unwrap();
    });
    assert!(proxy.has_struck());
    assert!(bucket.get(KEY) == bytes);
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
}

/// Stores through a proxy that loses one answer, and returns what came of it.
fn store_losing_answer(access: &e2e::bucket::Access, bucket: &Bucket, fault: Fault, bytes: &[u8]) -> Result<(), Error> {
    let proxy = Proxy::start(&access.endpoint);
    let outcome = wait(async {
        let repository = connect(&access.through(&proxy), bucket).await;
        proxy.set(fault);
        store(&repository, KEY, "run-1", bytes).await
    });
    assert!(proxy.has_struck(), "{:?}", proxy.requests());
    outcome.map(drop)
}

#[test]
fn a_lost_answer_to_the_completion_is_no_failure() {
    let bucket = bucket();
    let bytes = noise(11 * MIB);
    store_losing_answer(bucket.access(), &bucket, Fault::LoseAnswer("POST", "uploadId="), &bytes).unwrap();
    assert!(bucket.get(KEY) == bytes);
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
}

#[test]
fn a_lost_answer_to_a_single_put_is_no_failure() {
    let bucket = bucket();
    store_losing_answer(bucket.access(), &bucket, Fault::LoseAnswer("PUT", "app_backup"), b"small").unwrap();
    assert_eq!(bucket.get(KEY), b"small");
}

#[test]
fn a_lost_answer_is_no_failure_either_for_who_may_not_read() {
    let writer = Seaweedfs::shared().writer();
    for (fault, length) in
        [(Fault::LoseAnswer("PUT", "app_backup"), 5), (Fault::LoseAnswer("POST", "uploadId="), 11 * MIB)]
    {
        let bucket = bucket();
        let bytes = noise(length);
        let outcome = store_losing_answer(&writer, &bucket, fault, &bytes);
        assert!(outcome.is_ok(), "{fault:?}: {outcome:?}");
        assert!(bucket.get(KEY) == bytes);
    }
}

#[test]
fn who_may_not_read_is_still_refused_to_overwrite() {
    let bucket = bucket();
    bucket.put(KEY, &noise(6 * MIB));
    let mut other = noise(6 * MIB);
    other[0] ^= 1;
    let refused = wait(async {
        let repository = connect(&Seaweedfs::shared().writer(), &bucket).await;
        store(&repository, KEY, "run-1", &other).await
    });
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    assert!(bucket.get(KEY) == noise(6 * MIB));
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
}

#[test]
fn a_lost_answer_to_the_beginning_leaves_no_second_upload_open() {
    let bucket = bucket();
    store_losing_answer(bucket.access(), &bucket, Fault::LoseAnswer("POST", "uploads"), &noise(11 * MIB)).unwrap();
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
}

#[test]
fn a_network_away_for_less_than_the_budget_only_delays() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let bytes = noise(16 * MIB);
    wait(async {
        // A budget that no busy machine uses up.
        let mut settings = settings(&bucket.access().through(&proxy), &bucket);
        settings.retry.network_budget = MOMENT;
        let repository = Repository::bucket(settings).await.unwrap();
        proxy.set(Fault::GoAway(Direction::Up, 6_000_000));
        let stored = store(&repository, KEY, "run-1", &bytes);
        let heal = async {
            until("the network goes away", || proxy.has_struck()).await;
            // Longer than the retries of what isn't the network's take: 50, 100 and 200 ms.
            tokio::time::sleep(Duration::from_millis(400)).await;
            proxy.heal();
        };
        let (stored, ()) = tokio::join!(stored, heal);
        stored.unwrap();
    });
    assert!(bucket.get(KEY) == bytes);
}

#[test]
fn a_network_away_for_longer_than_the_budget_is_an_error_and_the_next_sweep_leaves_nothing() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let started = Instant::now();
    wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        proxy.set(Fault::GoAway(Direction::Up, 6_000_000));
        let failed = store(&repository, KEY, "run-1", &noise(16 * MIB)).await.unwrap_err();
        assert!(failed.is_network(), "{failed}");
        assert!(failed.hint().is_some());
        assert!(started.elapsed() < MOMENT, "{:?}", started.elapsed());
        assert_eq!(bucket_keys(&bucket).await, 0);

        proxy.heal();
        let later = jiff::Timestamp::now() + Duration::from_secs(60);
        let others = repository.sweep("other", later, Duration::ZERO).await.unwrap();
        let swept = repository.sweep("app", later, Duration::from_secs(1)).await.unwrap();
        assert_eq!((others, swept), (0, 1));
    });
    assert_nothing_is_left(&bucket);
}

async fn bucket_keys(bucket: &Bucket) -> usize {
    let listed = bucket.client().list_objects_v2().bucket(bucket.name()).send().await.unwrap();
    listed.contents().len()
}

#[test]
fn a_network_that_returns_before_the_abort_leaves_no_open_upload() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        let mut upload = repository.start_upload(KEY, &metadata("run-1")).await.unwrap();
        upload.write(noise(6 * MIB).into()).await.unwrap();
        proxy.set(Fault::GoAway(Direction::Up, 0));
        let mut failed = Ok(());
        for _ in 0..1_000 {
            failed = upload.write(Bytes::from(noise(MIB))).await;
            if failed.is_err() {
                break;
            }
        }
        proxy.heal();
        upload.abort().await;
        assert!(failed.is_err_and(|error| error.is_network()));
    });
    assert_nothing_is_left(&bucket);
}

/// Impatient with what doesn't move.
async fn impatient(proxy: &Proxy, bucket: &Bucket) -> Repository {
    let mut settings = settings(&bucket.access().through(proxy), bucket);
    settings.request_timeout = Duration::from_secs(1);
    settings.stall_timeout = Duration::from_secs(1);
    settings.retry.network_budget = MOMENT;
    Repository::bucket(settings).await.unwrap()
}

#[test]
fn a_request_that_stalls_is_given_up_and_sent_again() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let bytes = noise(6 * MIB);
    wait(async {
        let repository = impatient(&proxy, &bucket).await;
        proxy.set(Fault::Stall(Direction::Up, 0));
        // The second is sent only because the first was given up.
        let asked = heal_when_asked(&proxy, ("POST", "uploads", 2));
        let (stored, ()) = tokio::join!(store(&repository, KEY, "run-1", &bytes), asked);
        stored.unwrap();
    });
    assert!(bucket.get(KEY) == bytes);
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
}

/// A part may take a second for each 32 KiB: this one is the last, and small.
#[test]
fn a_part_that_stalls_is_given_up_and_sent_again() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let bytes = noise(5 * MIB + 100_000);
    wait(async {
        let repository = impatient(&proxy, &bucket).await;
        let mut upload = repository.start_upload(KEY, &metadata("run-1")).await.unwrap();
        upload.write(bytes.clone().into()).await.unwrap();
        until("the first part has gone by", || proxy.bytes(Direction::Up) > 5 * MIB as u64).await;
        proxy.set(Fault::Stall(Direction::Up, 20_000));
        let asked = heal_when_asked(&proxy, ("PUT", "partNumber=2", 2));
        let digest = digest(&bytes);
        let (stored, ()) = tokio::join!(upload.complete(&digest), asked);
        stored.unwrap();
    });
    assert!(bucket.get(KEY) == bytes);
    assert_eq!(bucket.open_uploads(), Vec::<String>::new());
}
