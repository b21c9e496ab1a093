//! Whole objects: put, head, and small records read at once.

use archive::{Crc64, Digester, Md5};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ArchiveStatus, ChecksumMode, ServerSideEncryption, StorageClass};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use catalog::glacier::Cold;
use catalog::{Expected, Object};

use super::stored::Ours;
use super::{Bucket, Call, listing, stored};
use crate::limits::RECORD_LIMIT;
use crate::metadata::content_type;
use crate::{Checksum, Encryption, Error, Head, PutOutcome, Stored};

/// Where a dry run tries to put what the store must refuse: a name that whoever may store archives may store.
const TRIAL: &str = ".lastgood-dry-run.sql";
const TRIAL_BODY: &[u8] = b"A dry run of lastgood tried whether the bucket takes backups. This may be deleted.\n";

/// A body on its way into one object.
#[derive(Clone)]
pub(crate) struct Body<'a> {
    pub(crate) key: &'a str,
    pub(crate) bytes: Bytes,
    pub(crate) content_type: &'a str,
    pub(crate) metadata: &'a [(String, String)],
    /// What must lie there, or the store refuses it.
    pub(crate) condition: Condition<'a>,
    /// Archives go where the settings say; records stay in STANDARD, to be readable at any time.
    pub(crate) storage_class: Option<&'a str>,
}

/// What must lie under a key before a put.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    /// Anything, or nothing.
    Anything,
    /// Nothing (`If-None-Match: *`).
    Nothing,
    /// The object with this `ETag` (`If-Match`).
    Etag(&'a str),
}

impl<'a> Body<'a> {
    /// A record is always JSON, and nothing is said of it beside its bytes.
    pub(super) fn record(key: &'a str, bytes: Bytes, condition: Condition<'a>) -> Self {
        Self { key, bytes, content_type: "application/json", metadata: &[], condition, storage_class: None }
    }
}

impl Condition<'_> {
    /// As HTTP writes it.
    fn etag(self) -> Option<String> {
        if let Self::Etag(etag) = self { Some(format!("\"{etag}\"")) } else { None }
    }
}

impl Bucket {
    /// Stores a record that must not be there yet. Safe to repeat: the same bytes under the key are a success.
    pub(crate) async fn put_new(&self, key: &str, bytes: Bytes) -> Result<PutOutcome, Error> {
        match self.committing().put_absent(&Body::record(key, bytes.clone(), Condition::Nothing)).await {
            Ok(stored) if self.is_still(key, &bytes).await? => Ok(PutOutcome::Stored(stored)),
            Ok(_) => Ok(PutOutcome::Exists),
            Err(exists @ Error::Exists { .. }) => match self.compare_existing(key, &bytes).await {
                // The store says both: what was asked for failed by the first.
                Err(Error::NotFound { .. }) => Err(exists),
                compared => compared,
            },
            Err(error) => Err(error),
        }
    }

    /// An earlier try of ours may have landed, its answer lost.
    async fn compare_existing(&self, key: &str, bytes: &Bytes) -> Result<PutOutcome, Error> {
        let (there, stored) = self.read(key, None).await?;
        Ok(if there == *bytes { PutOutcome::Stored(stored) } else { PutOutcome::Exists })
    }

    /// Stores what must not be there yet, and is no record: an earlier try of ours is known by its checksum or ETag, because who
    /// puts archives may not read them.
    pub(crate) async fn put_beside(&self, key: &str, bytes: Bytes) -> Result<PutOutcome, Error> {
        let digest = digest(&bytes);
        let etag = Some(digest.md5.to_string());
        let ours = Ours { key, digest: &digest, lastgood_id: None, etag, upload_is_gone: false };
        let body = Body { content_type: content_type(key), ..Body::record(key, bytes, Condition::Nothing) };
        match self.committing().put_absent(&body).await {
            Err(Error::Exists { .. }) => {
                Ok(self.find_landed(&ours).await?.map_or(PutOutcome::Exists, PutOutcome::Stored))
            }
            outcome => match self.prove(&ours, outcome?).await {
                Err(Error::Exists { .. }) => Ok(PutOutcome::Exists),
                proved => proved.map(PutOutcome::Stored),
            },
        }
    }

    /// Stores a record, whatever was there.
    pub(crate) async fn put_over(&self, key: &str, bytes: Bytes) -> Result<Stored, Error> {
        self.put(&Body::record(key, bytes, Condition::Anything)).await
    }

    /// Stores a record in the place of the one that has this `ETag`. Safe to repeat, as [`Self::put_new`] is.
    pub(crate) async fn put_in_place_of(&self, key: &str, etag: &str, bytes: Bytes) -> Result<PutOutcome, Error> {
        match self.put(&Body::record(key, bytes.clone(), Condition::Etag(etag))).await {
            Ok(stored) => Ok(PutOutcome::Stored(stored)),
            Err(Error::Exists { .. }) => match self.compare_existing(key, &bytes).await {
                Err(Error::NotFound { .. }) => Ok(PutOutcome::Exists),
                compared => compared,
            },
            // It is gone, or others are putting it just now.
            Err(Error::NotFound { .. } | Error::Conflict { .. }) => Ok(PutOutcome::Exists),
            Err(error) => Err(error),
        }
    }

    /// One PutObject, tried with patience. A concurrent conditional put (409) is tried again as well: the body is here.
    pub(crate) async fn put(&self, body: &Body<'_>) -> Result<Stored, Error> {
        let digest = digest(&body.bytes);
        let call = Call::new("s3:PutObject", body.key).carrying(body.bytes.len());
        let send = || {
            let request = self.put_request(body, &digest).customize();
            if self.unsigned_payload { request.disable_payload_signing().send() } else { request.send() }
        };
        let answer = match self.call(Call { ..call }, send).await {
            Err(Error::Conflict { .. }) => self.call(call, send).await?,
            answer => answer?,
        };
        let theirs = stored::full_object_crc(answer.checksum_crc64_nvme());
        self.compare_checksum(body.key, theirs, digest.crc64nvme)?;
        Ok(Stored {
            key: body.key.to_owned(),
            version_id: answer.version_id().map(str::to_owned),
            etag: stored::bare_etag(answer.e_tag()),
            size: digest.size,
            crc64nvme: theirs.or((self.settings.checksum == Checksum::Crc64Nvme).then_some(digest.crc64nvme)),
        })
    }

    /// Puts what the store must refuse: a body that isn't what its MD5 says. Whoever may not put, or cannot put on a condition, is
    /// refused for that reason instead.
    pub(crate) async fn try_putting(&self) -> Result<(), Error> {
        let key = format!("{}{TRIAL}", self.layout.prefix());
        let body = Body::record(&key, Bytes::from_static(TRIAL_BODY), Condition::Nothing);
        let digest = archive::Digest { md5: Md5([0; 16]), ..digest(&body.bytes) };
        let send =
            || self.put_request(&body, &digest).set_checksum_crc64_nvme(None).content_md5(md5_text(digest.md5)).send();
        match self.call(Call::new("s3:PutObject", &key).carrying(body.bytes.len()), send).await {
            // Some stores keep what they have refused.
            Err(Error::Checksum { .. }) if self.is_another_store() => self.remove_trial(&key).await,
            Err(Error::Checksum { .. } | Error::Exists { .. }) => Ok(()),
            // A backup looks for itself.
            Err(error) if error.lacks_conditions() => Ok(()),
            Err(error) => Err(error),
            // A store that doesn't look.
            Ok(_) => self.remove_trial(&key).await,
        }
    }

    /// What stays is in nobody's way.
    async fn remove_trial(&self, key: &str) -> Result<(), Error> {
        if self.listed(key).await?.is_none() {
            return Ok(());
        }
        let delete = || self.client.delete_object().bucket(&self.settings.bucket).key(key).send();
        if let Err(error) = self.call(Call::new("s3:DeleteObject", key), delete).await {
            tracing::warn!("{} was stored to try the bucket, and could not be removed: {error}", self.url(key));
        }
        Ok(())
    }

    fn put_request(&self, body: &Body<'_>, digest: &archive::Digest) -> PutObjectFluentBuilder {
        let (encryption, kms_key) = self.encryption();
        let mut request = self
            .client
            .put_object()
            .bucket(&self.settings.bucket)
            .key(body.key)
            .body(ByteStream::from(body.bytes.clone()))
            .content_type(body.content_type)
            .content_length(i64::try_from(body.bytes.len()).unwrap_or(i64::MAX))
            .set_if_none_match((body.condition == Condition::Nothing).then(|| "*".to_owned()))
            .set_if_match(body.condition.etag())
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .set_storage_class(body.storage_class.map(StorageClass::from));
        for (name, value) in body.metadata {
            request = request.metadata(name, value);
        }
        match self.settings.checksum {
            Checksum::Crc64Nvme => request.checksum_crc64_nvme(crc_text(digest.crc64nvme)),
            Checksum::Md5 => request.content_md5(md5_text(digest.md5)),
            Checksum::None => request,
        }
    }

    /// What to ask for at rest, and the key.
    pub(crate) fn encryption(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        match &self.settings.encryption {
            Encryption::BucketDefault => (None, None),
            Encryption::S3 => (Some(ServerSideEncryption::Aes256), None),
            Encryption::Kms { key_id } => (Some(ServerSideEncryption::AwsKms), key_id.clone()),
        }
    }

    /// What the store says of an object; `None` when there is none.
    pub(crate) async fn head_object(&self, key: &str) -> Result<Option<Head>, Error> {
        self.head_version(key, None).await
    }

    /// The same of one version, if one is named.
    pub(crate) async fn head_version(&self, key: &str, version: Option<&str>) -> Result<Option<Head>, Error> {
        let answer = self
            .call(Call::new("s3:GetObject", key).without_body(), || {
                let request = self.client.head_object().bucket(&self.settings.bucket).key(key);
                request.set_version_id(version.map(str::to_owned)).checksum_mode(ChecksumMode::Enabled).send()
            })
            .await;
        match answer {
            Ok(answer) => head(key, &answer).map(Some),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a small object whole, the named version of it if one is named.
    pub(crate) async fn read(&self, key: &str, version: Option<&str>) -> Result<(Bytes, Stored), Error> {
        self.patience.run(|| self.read_once(key, version)).await
    }

    async fn read_once(&self, key: &str, version: Option<&str>) -> Result<(Bytes, Stored), Error> {
        let call = Call::new("s3:GetObject", key);
        let request =
            self.client.get_object().bucket(&self.settings.bucket).key(key).checksum_mode(ChecksumMode::Enabled);
        let mut answer = self.once(&call, request.set_version_id(version.map(str::to_owned)).send()).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = self.next_chunk(key, &mut answer.body).await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > RECORD_LIMIT {
                return Err(Error::TooLarge { object: self.url(key), limit: RECORD_LIMIT });
            }
        }
        let etag = stored::bare_etag(answer.e_tag());
        let has_key = is_by_customers_key(answer.server_side_encryption(), answer.sse_customer_algorithm());
        let expected = Expected::new(None, etag.as_deref(), has_key, answer.checksum_crc64_nvme());
        self.check_record(key, &digest(&bytes), &expected)?;
        let stored = Stored {
            key: key.to_owned(),
            version_id: answer.version_id().map(str::to_owned),
            etag,
            size: bytes.len() as u64,
            crc64nvme: None,
        };
        Ok((bytes.into(), stored))
    }

    /// A record has no digest of its own: what the store says of its bytes is all that tells a spoilt answer.
    fn check_record(&self, key: &str, digest: &archive::Digest, expected: &Expected) -> Result<(), Error> {
        let cause = match (expected.crc64nvme, expected.etag) {
            (Some(crc), _) if crc != digest.crc64nvme => format!("CRC64NVME {} in place of {crc}", digest.crc64nvme),
            (_, Some(md5)) if md5 != digest.md5 => format!("MD5 {} in place of {md5}", digest.md5),
            _ => return Ok(()),
        };
        Err(Error::Misread { object: self.url(key), cause })
    }

    /// The next bytes of a body; a body that stalls or breaks is a network that went away.
    pub(crate) async fn next_chunk(&self, key: &str, body: &mut ByteStream) -> Result<Option<Bytes>, Error> {
        let broke = |cause: String| Error::NetworkAway { object: self.url(key), cause };
        match tokio::time::timeout(self.settings.stall_timeout, body.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
            Ok(Some(Err(error))) => match super::refusal::innermost(&error) {
                cause if cause.contains(SDKS_MISMATCH) => Err(Error::Misread { object: self.url(key), cause }),
                cause => Err(broke(cause)),
            },
            Err(_) => Err(Error::Timeout { object: self.url(key), seconds: self.settings.stall_timeout.as_secs() }),
        }
    }
}

fn head(key: &str, answer: &HeadObjectOutput) -> Result<Head, Error> {
    let class = answer.storage_class().map(StorageClass::as_str);
    let archive_status = answer.archive_status().map(ArchiveStatus::as_str);
    let cold = Cold::of(class, archive_status, answer.restore());
    let object = Object {
        key: key.to_owned(),
        size: listing::size(answer.content_length()),
        last_modified: listing::timestamp(key, answer.last_modified())?,
        etag: stored::bare_etag(answer.e_tag()),
        version_id: answer.version_id().map(str::to_owned),
        readable: cold.is_none_or(Cold::is_readable),
    };
    Ok(Head {
        object,
        content_type: answer.content_type().map(str::to_owned),
        metadata: answer.metadata().into_iter().flatten().map(|(k, v)| (k.to_lowercase(), v.clone())).collect(),
        crc64nvme: stored::full_object_crc(answer.checksum_crc64_nvme()),
        with_customer_key: is_by_customers_key(answer.server_side_encryption(), answer.sse_customer_algorithm()),
        cold,
    })
}

/// In the SDK's words about an answer whose checksum doesn't fit: its error has no type that could be asked for.
const SDKS_MISMATCH: &str = "checksum mismatch";

fn is_by_customers_key(encryption: Option<&ServerSideEncryption>, customers: Option<&str>) -> bool {
    customers.is_some() || encryption.is_some_and(|encryption| *encryption != ServerSideEncryption::Aes256)
}

fn digest(bytes: &[u8]) -> archive::Digest {
    let mut digester = Digester::new();
    digester.update(bytes);
    digester.finish()
}

/// Base64 of the eight big-endian bytes, as S3's header has it.
pub(crate) fn crc_text(crc: Crc64) -> String {
    BASE64_STANDARD.encode(crc.0.to_be_bytes())
}

/// Base64 of the sixteen bytes, as Content-MD5 has it.
pub(crate) fn md5_text(md5: Md5) -> String {
    BASE64_STANDARD.encode(md5.0)
}
