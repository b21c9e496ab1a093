//! A bucket seen from outside: what lies in it by the word of AWS's own SDK, never of the code under test.

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use crate::bounds::LIMIT;
use crate::proxy::Proxy;

/// An identity at an S3 endpoint.
#[derive(Clone, Debug)]
pub struct Access {
    /// URL of the server.
    pub endpoint: String,
    /// Whatever the server takes for one.
    pub region: String,
    /// Access key id.
    pub key_id: String,
    /// Secret access key.
    pub secret: String,
}

impl Access {
    /// The same identity at the same server, reached through a proxy.
    pub fn through(&self, proxy: &Proxy) -> Access {
        Access { endpoint: format!("http://{}", proxy.address()), ..self.clone() }
    }

    /// As the variables that every AWS client reads. The last keeps clients from looking for EC2's metadata server.
    pub fn environment(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
    }

    /// An SDK client; its futures run in [`wait`].
    pub fn client(&self) -> Client {
        let settings = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(&self.endpoint)
            .region(Region::new(self.region.clone()))
            .credentials_provider(Credentials::new(&self.key_id, &self.secret, None, None, "tests"))
            .force_path_style(true)
            .build();
        Client::from_conf(settings)
    }
}

/// Runs a future to its end on the harness's own threads; fails when that takes longer than [`LIMIT`].
#[track_caller]
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    wait_within(LIMIT, future)
}

/// The same for what may take so long.
#[track_caller]
pub fn wait_within<T>(limit: Duration, future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap());
    let ended = runtime.block_on(async { tokio::time::timeout(limit, future).await });
    ended.unwrap_or_else(|_| panic!("what was asked of the store took longer than {limit:?}"))
}

/// Whether this is the name of an archive; that of the globals beside it ends as one's does.
pub fn is_archive(name: &str) -> bool {
    name.contains(".sql") && [".globals.", ".json", ".metadata"].iter().all(|other| !name.contains(other))
}

/// A bucket of one test. It stays when the value goes: its server goes soon after.
pub struct Bucket {
    client: Client,
    access: Access,
    name: String,
}

/// One object, or one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// With its quotation marks, as the server says it; empty where a listing has none.
    pub etag: String,
    /// Where the bucket keeps versions.
    pub version: Option<String>,
}

impl Bucket {
    /// A new bucket that keeps no versions.
    pub fn new(access: &Access) -> Bucket {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let client = access.client();
        wait(client.create_bucket().bucket(&name).send()).unwrap();
        Bucket { client, access: access.clone(), name }
    }

    /// A new bucket that keeps every version.
    pub fn versioned(access: &Access) -> Bucket {
        let bucket = Self::new(access);
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        wait(bucket.client.put_bucket_versioning().bucket(&bucket.name).versioning_configuration(enabled).send())
            .unwrap();
        bucket
    }

    /// A bucket that is there already, such as a stack's.
    pub fn existing(access: &Access, name: &str) -> Bucket {
        Bucket { client: access.client(), access: access.clone(), name: name.to_owned() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who looks at it here.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// The SDK's client, for what this view doesn't offer.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Every object, by key.
    pub fn objects(&self) -> Vec<Stored> {
        let mut pages = self.client.list_objects_v2().bucket(&self.name).into_paginator().send();
        let objects = wait(async {
            let mut objects = Vec::new();
            while let Some(page) = pages.next().await {
                objects.extend(page.unwrap().contents.unwrap_or_default());
            }
            objects
        });
        let stored = |object: aws_sdk_s3::types::Object| Stored {
            key: object.key().unwrap().to_owned(),
            size: object.size().unwrap().try_into().unwrap(),
            etag: object.e_tag().unwrap_or_default().to_owned(),
            version: None,
        };
        objects.into_iter().map(stored).collect()
    }

    /// The keys of backups alone: a database's mark comes before its first one, whatever becomes of that.
    pub fn keys_of_backups(&self) -> Vec<String> {
        self.keys().into_iter().filter(|key| !key.contains("/databases/")).collect()
    }

    /// Every key, in order.
    pub fn keys(&self) -> Vec<String> {
        self.objects().into_iter().map(|object| object.key).collect()
    }

    /// The only key that ends so; fails unless there is exactly one.
    pub fn key_ending_in(&self, suffix: &str) -> String {
        let keys = self.keys();
        // The names of the globals and of an encrypted index end as an archive's does.
        let same = |key: &str, part: &str| key.contains(part) == suffix.contains(part);
        let is_meant = |key: &&String| key.ends_with(suffix) && same(key, ".globals.") && same(key, ".index.");
        let [key] = keys.iter().filter(is_meant).collect::<Vec<_>>()[..] else {
            panic!("not exactly one key ends in {suffix}: {keys:#?}");
        };
        key.clone()
    }

    /// Every version of every object, delete markers excepted.
    pub fn versions(&self) -> Vec<Stored> {
        let page = wait(self.client.list_object_versions().bucket(&self.name).send()).unwrap();
        assert_ne!(page.is_truncated(), Some(true), "more versions than this view pages through");
        let stored = |version: &aws_sdk_s3::types::ObjectVersion| Stored {
            key: version.key().unwrap().to_owned(),
            size: version.size().unwrap().try_into().unwrap(),
            etag: version.e_tag().unwrap().to_owned(),
            version: version.version_id().map(str::to_owned),
        };
        page.versions().iter().map(stored).collect()
    }

    /// The keys of uploads that were started and neither completed nor aborted.
    pub fn open_uploads(&self) -> Vec<String> {
        let page = wait(self.client.list_multipart_uploads().bucket(&self.name).send()).unwrap();
        page.uploads().iter().map(|upload| upload.key().unwrap().to_owned()).collect()
    }

    /// An object's bytes; fails if it isn't there.
    pub fn get(&self, key: &str) -> Vec<u8> {
        wait(async {
            let object = self.client.get_object().bucket(&self.name).key(key).send().await.unwrap();
            object.body.collect().await.unwrap().to_vec()
        })
    }

    /// An object that is JSON.
    pub fn get_json(&self, key: &str) -> serde_json::Value {
        serde_json::from_slice(&self.get(key)).unwrap()
    }

    /// An object's headers; fails if it isn't there.
    pub fn head(&self, key: &str) -> HeadObjectOutput {
        wait(self.client.head_object().bucket(&self.name).key(key).send()).unwrap()
    }

    /// Stores an object, over any that is there.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.put_with(key, bytes, &[]);
    }

    /// Stores an object with user metadata, as the guide's scripts did.
    pub fn put_with(&self, key: &str, bytes: &[u8], metadata: &[(&str, &str)]) {
        let body = ByteStream::from(bytes.to_vec());
        let put = self.client.put_object().bucket(&self.name).key(key).body(body);
        wait(metadata.iter().fold(put, |put, (name, value)| put.metadata(*name, *value)).send()).unwrap();
    }

    /// Flips one bit of a stored object behind everyone's back; its metadata stays.
    pub fn flip_bit(&self, key: &str, byte: usize) {
        let mut bytes = self.get(key);
        bytes[byte] ^= 1;
        let metadata = self.head(key).metadata().cloned().unwrap_or_default();
        let metadata: Vec<_> = metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.put_with(key, &bytes, &metadata);
    }

    /// Removes an object.
    pub fn delete(&self, key: &str) {
        wait(self.client.delete_object().bucket(&self.name).key(key).send()).unwrap();
    }
}
