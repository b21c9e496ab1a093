//! The bucket as a repository, against a real S3 server and through a network that breaks: what a fault leaves behind.

mod download;
mod listing;
mod records;
mod remove;
mod upload;

use std::time::Duration;

use archive::{Digest, Digester};
use bytes::Bytes;
use e2e::bounds::MOMENT;
use e2e::bucket::{Access, Bucket};
use e2e::proxy::{Proxy, Request};
use e2e::seaweedfs::Seaweedfs;
use jiff::Timestamp;
use repository::{BucketSettings, Error, Keys, Repository, Retry, Secret, Stored, UploadMetadata};

const KEY: &str = "backups/20260120/app_backup_20260120_030000.sql.gz";
const MIB: usize = 1 << 20;

/// A bucket of the test's own.
fn bucket() -> Bucket {
    Bucket::new(&Seaweedfs::shared().admin())
}

/// Impatient, so that tests are quick; the pace itself has tests of its own.
fn settings(access: &Access, bucket: &Bucket) -> BucketSettings {
    let keys = Keys { id: access.key_id.clone(), secret: Secret::new(&access.secret), token: None };
    BucketSettings {
        region: Some(access.region.clone()),
        endpoint: Some(access.endpoint.clone()),
        keys: Some(keys),
        part_size: 5 << 20,
        retry: Retry::within(Duration::from_secs(1), Duration::from_millis(50)),
        ..BucketSettings::new(bucket.name(), "backups")
    }
}

pub(crate) async fn connect(access: &Access, bucket: &Bucket) -> Repository {
    Repository::bucket(settings(access, bucket)).await.unwrap()
}

fn metadata(id: &str) -> UploadMetadata {
    UploadMetadata {
        lastgood_id: id.into(),
        database: "my café".into(),
        backup_date: Timestamp::UNIX_EPOCH,
        expected_size: None,
    }
}

/// Bytes that no cut, swap or repetition leaves equal.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn digest(bytes: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.update(bytes);
    digester.finish()
}

/// Waits until something holds; fails after a minute.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + MOMENT;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Heals the network when so many requests of this method, with this text in their target, have gone by.
async fn heal_when_asked(proxy: &Proxy, (method, text, count): (&str, &str, usize)) {
    let is_meant = |request: &Request| request.method == method && request.target.contains(text);
    let seen = || proxy.requests().iter().filter(|request| is_meant(request)).count();
    until(&format!("request {count} of {method} {text}"), || seen() >= count).await;
    proxy.heal();
}

/// Stores an archive as the agent does, frame by frame.
async fn store(repository: &Repository, key: &str, id: &str, bytes: &[u8]) -> Result<Stored, Error> {
    let mut upload = repository.start_upload(key, &metadata(id)).await?;
    for frame in bytes.chunks(MIB) {
        upload.write(Bytes::copy_from_slice(frame)).await?;
    }
    upload.complete(&digest(bytes)).await
}
