//! Removal: nothing is left of what goes, and all of what stays.

use aws_sdk_s3::types::{ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode};
use e2e::bucket::{Bucket, wait};
use e2e::seaweedfs::Seaweedfs;
use repository::Scope;

use super::{bucket, connect};

const STEM: &str = "backups/20260120/app_backup_20260120_030000";
const SUFFIXES: [&str; 3] = [".intact.json", ".manifest.json", ".sql.gz"];

fn keys() -> [String; 3] {
    SUFFIXES.map(|suffix| format!("{STEM}{suffix}"))
}

fn fill(bucket: &Bucket) {
    for key in keys() {
        bucket.put(&key, b"bytes");
    }
}

/// Versions and delete markers together.
fn everything(bucket: &Bucket) -> usize {
    let page = wait(bucket.client().list_object_versions().bucket(bucket.name()).send()).unwrap();
    page.versions().len() + page.delete_markers().len()
}

#[test]
fn a_removed_backup_is_gone_from_a_plain_bucket() {
    let bucket = bucket();
    fill(&bucket);
    bucket.put("backups/20260120/app_backup_20260120_040000.sql.gz", b"stays");
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let listed = repository.objects(Scope::All).await.unwrap();
        let plan: Vec<_> = listed.into_iter().filter(|object| object.key.starts_with(STEM)).collect();
        let removal = repository.remove(&plan).await.unwrap();
        assert!(removal.is_complete(), "{removal:?}");
        assert_eq!(removal.removed, keys());
    });
    assert_eq!(bucket.keys(), ["backups/20260120/app_backup_20260120_040000.sql.gz"]);
}

#[test]
fn removal_by_version_leaves_neither_versions_nor_markers() {
    let bucket = Bucket::versioned(&Seaweedfs::shared().admin());
    fill(&bucket);
    // A verdict that was written over, and one deleted and written again.
    bucket.put(&keys()[0], b"newer bytes");
    bucket.delete(&keys()[1]);
    bucket.put(&keys()[1], b"bytes again");
    assert_eq!(everything(&bucket), 6);
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let listed = repository.objects(Scope::All).await.unwrap();
        let removal = repository.remove(&listed).await.unwrap();
        assert!(removal.is_complete(), "{removal:?}");
    });
    assert_eq!(everything(&bucket), 0);
}

#[test]
fn a_version_that_came_after_the_plan_keeps_its_backup() {
    let bucket = Bucket::versioned(&Seaweedfs::shared().admin());
    fill(&bucket);
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let planned = repository.versions(Scope::All).await.unwrap();
        assert_eq!(planned.len(), 3);
        assert!(planned.iter().all(|object| object.pinned_version().is_some()));
        let put = bucket.client().put_object().bucket(bucket.name()).key(&keys()[0]).body(b"unseen".to_vec().into());
        put.send().await.unwrap();
        let removal = repository.remove(&planned).await.unwrap();
        assert_eq!((removal.removed, removal.changed), (Vec::new(), vec![keys()[0].clone()]));
        assert_eq!(removal.held_back, keys()[1..]);
    });
    assert_eq!(bucket.keys(), keys());
    assert_eq!(bucket.get(&keys()[0]), b"unseen");
    assert_eq!(everything(&bucket), 4);
}

#[test]
fn what_was_deleted_is_no_live_version() {
    let bucket = Bucket::versioned(&Seaweedfs::shared().admin());
    fill(&bucket);
    bucket.delete(&keys()[2]);
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let live = repository.versions(Scope::All).await.unwrap();
        let live: Vec<_> = live.into_iter().map(|object| object.key).collect();
        assert_eq!(live, keys()[..2]);
    });
}

#[test]
fn an_object_written_anew_since_the_plan_stays_with_its_archive() {
    let bucket = bucket();
    fill(&bucket);
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let listed = repository.objects(Scope::All).await.unwrap();
        repository.put_over(&keys()[1], "another manifest").await.unwrap();
        let removal = repository.remove(&listed).await.unwrap();
        assert_eq!(removal.removed, [keys()[0].clone()]);
        assert_eq!(removal.changed, [keys()[1].clone()]);
        assert_eq!(removal.held_back, [keys()[2].clone()]);
    });
    assert_eq!(bucket.keys(), keys()[1..]);
}

/// Listed while it was only an archive: by a clock that is wrong it is old, and its agent is about to put the manifest.
#[test]
fn a_backup_whose_manifest_comes_after_the_plan_stays_whole() {
    for bucket in [bucket(), Bucket::versioned(&Seaweedfs::shared().admin())] {
        bucket.put(&keys()[2], b"bytes");
        wait(async {
            let repository = connect(bucket.access(), &bucket).await;
            let planned = repository.versions(Scope::All).await.unwrap();
            repository.put_new(&keys()[1], "its manifest").await.unwrap();
            let removal = repository.remove(&planned).await.unwrap();
            assert_eq!((removal.removed, removal.changed), (Vec::new(), vec![keys()[2].clone()]));
        });
        assert_eq!(bucket.keys(), keys()[1..]);
        // A record that was deleted since speaks of nothing.
        bucket.delete(&keys()[1]);
        wait(async {
            let repository = connect(bucket.access(), &bucket).await;
            let planned = repository.versions(Scope::All).await.unwrap();
            assert!(repository.remove(&planned).await.unwrap().is_complete());
        });
        assert_eq!(bucket.keys(), Vec::<String>::new());
    }
}

#[test]
fn a_locked_version_is_skipped_and_said() {
    let access = Seaweedfs::shared().admin();
    let bucket = locking_bucket(&access);
    fill(&bucket);
    let until = aws_sdk_s3::primitives::DateTime::from_secs(jiff::Timestamp::now().as_second() + 3_600);
    let retention = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Compliance).retain_until_date(until);
    let lock = bucket.client().put_object_retention().bucket(bucket.name()).key(&keys()[1]);
    wait(lock.retention(retention.build()).send()).unwrap();
    assert_eq!(bucket.head(&keys()[1]).object_lock_mode(), Some(&ObjectLockMode::Compliance));
    wait(async {
        let repository = connect(&access, &bucket).await;
        let listed = repository.objects(Scope::All).await.unwrap();
        let removal = repository.remove(&listed).await.unwrap();
        assert_eq!(removal.removed, [keys()[0].clone()]);
        assert_eq!(removal.locked, [keys()[1].clone()], "{removal:?}");
        assert_eq!(removal.held_back, [keys()[2].clone()]);
    });
    assert_eq!(bucket.keys(), keys()[1..]);
}

fn locking_bucket(access: &e2e::bucket::Access) -> Bucket {
    let name = format!("test-locks-{}", std::process::id());
    let create = access.client().create_bucket().bucket(&name).object_lock_enabled_for_bucket(true);
    wait(create.send()).unwrap();
    Bucket::existing(access, &name)
}

#[test]
fn who_may_not_delete_removes_nothing_and_is_told_so() {
    let bucket = bucket();
    fill(&bucket);
    wait(async {
        let repository = connect(&Seaweedfs::shared().reader(), &bucket).await;
        let listed = repository.objects(Scope::All).await.unwrap();
        let removal = repository.remove(&listed).await.unwrap();
        assert!(removal.removed.is_empty() && !removal.is_complete(), "{removal:?}");
        let [(key, reason)] = &removal.failed[..] else { panic!("{removal:?}") };
        assert!(*key == keys()[0] && reason.contains("AccessDenied"), "{removal:?}");
        assert_eq!(removal.held_back, keys()[1..]);
    });
    assert_eq!(bucket.keys(), keys());
}
