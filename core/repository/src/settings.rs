//! What a bucket needs to know. Every field has a default; only the bucket's name has none.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::Retry;

/// Where a bucket is, who we are to it, and how bytes go there.
#[derive(Clone, Debug)]
pub struct BucketSettings {
    /// The bucket's name.
    pub bucket: String,
    /// The AWS account that the bucket must belong to, in twelve digits: every request says so, and S3 refuses those to a
    /// stranger's bucket of the same name. `None`: not said.
    pub owner: Option<String>,
    /// It is a vault, which another account's replication fills: the account whose verdicts count there, in twelve digits. `None`: it is
    /// none, and verdicts bear no account's number.
    pub verdicts_of: Option<String>,
    /// Key prefix, without slashes at its ends; may be empty.
    pub prefix: String,
    /// `None`: AWS_REGION, then the profile's region, then us-east-1.
    pub region: Option<String>,
    /// Another S3 store than AWS: `https://…`. `None`: AWS_ENDPOINT_URL_S3 and the like, then AWS.
    pub endpoint: Option<String>,
    /// `endpoint/bucket/key` instead of `bucket.endpoint/key`. `None`: only at another store than AWS.
    pub path_style: Option<bool>,
    /// `None`: the SDK's provider chain, which renews what expires.
    pub keys: Option<Keys>,
    /// A profile of the AWS configuration files, before any keys in the environment.
    pub profile: Option<String>,
    /// It stands beside another bucket: what the environment says of AWS, region and endpoint among it, is about that one.
    pub beside: bool,
    /// Bytes of the first parts, at least 5 MiB. Peak memory of an upload is `part_size × (parts_in_flight + 1)` until
    /// parts must grow beyond that. Default 8 MiB.
    pub part_size: u64,
    /// Parts uploaded at once, and ranges downloaded at once. Default 4.
    pub parts_in_flight: usize,
    /// Parts the store takes: 10,000 on AWS, 1,000 on Scaleway.
    pub max_parts: u32,
    /// All parts but the last have one size (Cloudflare R2 wants it).
    pub equal_parts: bool,
    /// What protects a request's body on its way.
    pub checksum: Checksum,
    /// Encryption at rest.
    pub encryption: Encryption,
    /// Storage class of archives; `None`: the bucket's default, STANDARD.
    pub storage_class: Option<String>,
    /// Certificates in PEM, to trust instead of the system's. `None`: the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Patience with a store that cannot serve a request now.
    pub retry: Retry,
    /// Time to connect. Default 10 s.
    pub connect_timeout: Duration,
    /// Time for an answer, on top of what the body needs at 32 KiB/s. Default 60 s.
    pub request_timeout: Duration,
    /// How long a body may stand still before it is given up. Default 60 s.
    pub stall_timeout: Duration,
}

impl BucketSettings {
    /// The defaults for a bucket on AWS.
    pub fn new(bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: prefix.into(),
            owner: None,
            verdicts_of: None,
            region: None,
            endpoint: None,
            path_style: None,
            keys: None,
            profile: None,
            beside: false,
            part_size: 8 << 20,
            parts_in_flight: 4,
            max_parts: 10_000,
            equal_parts: false,
            checksum: Checksum::default(),
            encryption: Encryption::default(),
            storage_class: None,
            ca_bundle: None,
            retry: Retry::default(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(60),
        }
    }
}

/// A text that Debug doesn't show, and that is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Keeps `text` from now on.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for the one who signs with it.
    pub(crate) fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Keys given explicitly (`BACKUP_AWS_ACCESS_KEY_ID` …).
#[derive(Clone, Debug)]
pub struct Keys {
    /// Access key id. Not a secret: it names the key in errors.
    pub id: String,
    /// Secret access key.
    pub secret: Secret,
    /// Session token of temporary keys.
    pub token: Option<Secret>,
}

/// The one checksum sent with each body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// CRC64NVME, which S3 keeps for the whole object, multipart or not.
    #[default]
    Crc64Nvme,
    /// Content-MD5, for stores that don't know CRC64NVME (Backblaze B2, older MinIO).
    Md5,
    /// None, for stores that know neither.
    None,
}

/// Encryption at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Whatever the bucket's default is.
    #[default]
    BucketDefault,
    /// SSE-S3 (AES256).
    S3,
    /// SSE-KMS; `None`: the AWS managed key.
    Kms {
        /// Id or ARN of the key.
        key_id: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug() {
        let mut settings = BucketSettings::new("b", "p");
        settings.keys =
            Some(Keys { id: "AKIA".into(), secret: Secret::new("hush"), token: Some(Secret::new("quiet")) });
        let shown = format!("{settings:?}");
        assert!(shown.contains("AKIA") && !shown.contains("hush") && !shown.contains("quiet"), "{shown}");
    }
}
