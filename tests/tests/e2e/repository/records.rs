//! Records, and what goes wrong before anything is stored.

use catalog::retention::Removals;
use e2e::bucket::{Access, wait};
use e2e::proxy::{Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;
use jiff::Timestamp;
use repository::{BucketSettings, EndpointError, Error, PutOutcome, Repository, Scope, Version};

use super::{bucket, connect, settings};

const MANIFEST: &str = "backups/20260120/app_backup_20260120_030000.manifest.json";

#[test]
fn a_record_is_put_once_and_the_same_bytes_again_are_a_success() {
    let bucket = bucket();
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let put = |bytes: &'static str| repository.put_new(MANIFEST, bytes);
        assert!(matches!(put("{}").await, Ok(PutOutcome::Stored(_))));
        assert!(matches!(put("{}").await, Ok(PutOutcome::Stored(_))));
        assert_eq!(put("[]").await.unwrap(), PutOutcome::Exists);
        repository.put_over(MANIFEST, "[]").await.unwrap();
        assert_eq!(repository.read_key(MANIFEST).await.unwrap().unwrap(), "[]");
        assert_eq!(repository.read_key("backups/none.json").await.unwrap(), None);
        assert_eq!(repository.head("backups/none.json").await.unwrap(), None);
    });
    assert_eq!(bucket.head(MANIFEST).content_type(), Some("application/json"));
}

/// Two who read, add and put back at the same time, again and again.
#[test]
fn of_several_who_put_after_what_they_read_none_loses_what_another_put() {
    const RECORD: &str = "backups/status/removals.json";
    let bucket = bucket();
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..2 {
            let repository = repository.clone();
            writers.spawn(async move {
                let mut late = 0;
                for round in 0..15 {
                    loop {
                        let (known, version) = repository.removals().await.unwrap();
                        let mut removals = known.unwrap_or_else(|| Removals::none(Timestamp::UNIX_EPOCH));
                        removals.databases.entry("app".into()).or_default().insert(format!("{writer}-{round}"));
                        match repository.put_after(RECORD, &version, removals.to_json().unwrap()).await.unwrap() {
                            PutOutcome::Stored(_) => break,
                            PutOutcome::Exists => late += 1,
                        }
                    }
                }
                late
            });
        }
        let late: usize = writers.join_all().await.into_iter().sum();
        let (removals, version) = repository.removals().await.unwrap();
        let json = removals.unwrap();
        assert_eq!(json.databases["app"].len(), 30, "{late} came too late");
        assert!(late > 0, "they never met");
        // The same again is a success, and what is gone by now isn't there.
        let same = json.to_json().unwrap();
        repository.put_over(RECORD, same.clone()).await.unwrap();
        assert!(matches!(repository.put_after(RECORD, &version, same).await, Ok(PutOutcome::Stored(_))));
    });
    bucket.delete(RECORD);
    wait(async {
        let repository = connect(bucket.access(), &bucket).await;
        let gone = Version::Etag("0123456789abcdef0123456789abcdef".to_owned());
        assert_eq!(repository.put_after(RECORD, &gone, "{}").await.unwrap(), PutOutcome::Exists);
    });
}

#[test]
fn globals_are_put_once_as_what_they_are_and_a_lost_answer_is_no_failure() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let key = MANIFEST.replace(".manifest.json", ".globals.sql.gz");
    wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        proxy.set(Fault::LoseAnswer("PUT", "globals"));
        let put = |bytes: &'static str| repository.put_beside(&key, bytes);
        assert!(matches!(put("one").await, Ok(PutOutcome::Stored(_))));
        assert!(proxy.has_struck());
        assert!(matches!(put("one").await, Ok(PutOutcome::Stored(_))));
        assert_eq!(put("other").await.unwrap(), PutOutcome::Exists);
    });
    assert_eq!(bucket.get(&key), b"one");
    assert_eq!(bucket.head(&key).content_type(), Some("application/gzip"));
}

#[test]
fn a_lost_answer_to_a_record_is_no_failure() {
    let bucket = bucket();
    let proxy = Proxy::start(&bucket.access().endpoint);
    let outcome = wait(async {
        let repository = connect(&bucket.access().through(&proxy), &bucket).await;
        proxy.set(Fault::LoseAnswer("PUT", "manifest"));
        repository.put_new(MANIFEST, "{}").await
    });
    assert!(proxy.has_struck());
    assert!(matches!(outcome, Ok(PutOutcome::Stored(_))), "{outcome:?}");
}

/// The first error that these settings meet.
fn refusal(settings: BucketSettings) -> Error {
    wait(async {
        let repository = Repository::bucket(settings).await.unwrap();
        let listed = repository.objects(Scope::All).await.unwrap_err();
        assert_eq!(repository.check_access().await.unwrap_err().to_string(), listed.to_string());
        listed
    })
}

#[test]
fn a_bucket_that_does_not_exist_is_named() {
    let bucket = bucket();
    let error = refusal(BucketSettings { bucket: "no-such-bucket".into(), ..settings(bucket.access(), &bucket) });
    assert!(matches!(error, Error::NoSuchBucket { .. }), "{error}");
    assert!(error.to_string().contains("no-such-bucket"));
}

#[test]
fn a_wrong_secret_is_told_without_being_shown() {
    let bucket = bucket();
    let wrong = Access { secret: "wrong-secret".into(), ..bucket.access().clone() };
    let error = refusal(settings(&wrong, &bucket));
    assert!(matches!(error, Error::BadCredentials { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("wrong-secret"));
}

#[test]
fn a_missing_permission_is_named_with_its_resource() {
    let bucket = bucket();
    wait(async {
        let repository = connect(&Seaweedfs::shared().reader(), &bucket).await;
        let error = repository.put_new(MANIFEST, "{}").await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::AccessDenied { .. }), "{text}");
        assert!(text.contains("s3:PutObject") && text.contains(MANIFEST), "{text}");
        assert!(error.hint().unwrap().contains("s3:PutObject"));
    });
    assert_eq!(bucket.keys(), Vec::<String>::new());
}

#[test]
fn a_server_that_never_was_there_is_named_and_not_waited_for() {
    let bucket = bucket();
    let nowhere = Access { endpoint: "http://127.0.0.1:1".into(), ..bucket.access().clone() };
    let error = refusal(settings(&nowhere, &bucket));
    assert!(matches!(error, Error::Endpoint(EndpointError::NoServer { .. })), "{error:?}");
    assert!(error.to_string().contains("http://127.0.0.1:1") && !error.is_retryable(), "{error}");
}

#[test]
fn a_profile_that_does_not_exist_is_a_lack_of_credentials() {
    let bucket = bucket();
    let settings =
        BucketSettings { keys: None, profile: Some("no-such-profile".into()), ..settings(bucket.access(), &bucket) };
    let error = refusal(settings);
    assert!(matches!(error, Error::NoCredentials { .. }), "{error:?}");
    assert!(error.to_string().contains("NoCredentialsError"));
}
