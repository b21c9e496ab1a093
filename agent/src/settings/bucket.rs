//! The bucket's settings, and the identity that accesses it.

use std::time::Duration;

use repository::{BucketSettings, Encryption, Keys, Retry, Secret};

use super::definition::Setting;
use super::form::ServerSideEncryption;
use super::layers::{Found, Layers};
use super::table;

/// `None` where no bucket is set: no request goes to AWS then.
pub(super) fn resolve(layers: &Layers, mistakes: &mut Vec<String>) -> Option<BucketSettings> {
    let mut bucket = BucketSettings::new(layers.get(&table::BACKUP_S3_BUCKET)?, layers.get(&table::BACKUP_S3_PREFIX)?);
    bucket.owner = layers.get(&table::BACKUP_S3_BUCKET_OWNER);
    bucket.region = layers.get(&table::AWS_REGION);
    bucket.endpoint = layers.get(&table::BACKUP_S3_ENDPOINT);
    bucket.path_style = layers.get(&table::BACKUP_S3_PATH_STYLE);
    (bucket.keys, bucket.profile) = identity(layers, mistakes);
    bucket.part_size = layers.get(&table::BACKUP_S3_PART_SIZE)?;
    bucket.parts_in_flight = usize::try_from(layers.get(&table::BACKUP_S3_PARTS_IN_FLIGHT)?).ok()?;
    bucket.max_parts = layers.get(&table::BACKUP_S3_MAX_PARTS)?;
    bucket.equal_parts = layers.get(&table::BACKUP_S3_EQUAL_PARTS)?;
    bucket.checksum = layers.get(&table::BACKUP_S3_CHECKSUM)?;
    bucket.encryption = encryption(layers, mistakes);
    bucket.storage_class = layers.get(&table::BACKUP_S3_STORAGE_CLASS);
    let minutes = u64::from(layers.get(&table::BACKUP_RETRY_MINUTES)?);
    bucket.retry = Retry::within(Duration::from_secs(60 * minutes), layers.get(&table::BACKUP_RETRY_DELAY)?);
    bucket.ca_bundle = layers.get(&table::AWS_CA_BUNDLE).or_else(|| layers.get(&table::SSL_CERT_FILE));
    Some(bucket)
}

fn encryption(layers: &Layers, mistakes: &mut Vec<String>) -> Encryption {
    let key = layers.find(&table::BACKUP_S3_KMS_KEY_ID.definition);
    match (layers.get(&table::BACKUP_S3_SSE), key) {
        (Some(ServerSideEncryption::Aes256), Some(key)) => {
            mistakes.push(format!("{} ({}): BACKUP_S3_SSE=AES256 uses no key; aws:kms does", key.name, key.source));
            Encryption::S3
        }
        (Some(ServerSideEncryption::Aes256), None) => Encryption::S3,
        (Some(ServerSideEncryption::Kms), key) => Encryption::Kms { key_id: key.map(|found| found.text) },
        (None, Some(key)) => Encryption::Kms { key_id: Some(key.text) },
        (None, None) => Encryption::BucketDefault,
    }
}

/// The identity for AWS. A profile from a higher-priority place than the keys wins, because this run was told so; otherwise
/// keys win, as they do everywhere in AWS.
fn identity(layers: &Layers, mistakes: &mut Vec<String>) -> (Option<Keys>, Option<String>) {
    let profile = layers.find(&table::AWS_PROFILE.definition);
    let ours = pair(
        layers,
        &table::BACKUP_AWS_ACCESS_KEY_ID,
        [&table::BACKUP_AWS_SECRET_ACCESS_KEY, &table::BACKUP_AWS_SESSION_TOKEN],
        mistakes,
    );
    let mut shared = || {
        pair(layers, &table::AWS_ACCESS_KEY_ID, [&table::AWS_SECRET_ACCESS_KEY, &table::AWS_SESSION_TOKEN], mistakes)
    };
    match (ours.or_else(&mut shared), profile) {
        (Some((_, distance)), Some(profile)) if profile.distance < distance => (None, Some(profile.text)),
        (Some((keys, _)), _) => (Some(keys), None),
        (None, profile) => (None, profile.map(|found| found.text)),
    }
}

/// A key, its secret and its token, and the key's distance (see [`Found::distance`]).
fn pair(
    layers: &Layers,
    id: &Setting<String>,
    [secret, token]: [&Setting<postgres::Secret>; 2],
    mistakes: &mut Vec<String>,
) -> Option<(Keys, usize)> {
    let found = |definition| layers.find(definition);
    let lone = |lone: &Found, missing: &str| format!("{} ({}): {missing} is missing", lone.name, lone.source);
    match (found(&id.definition), found(&secret.definition)) {
        (Some(key), Some(secret)) => {
            // A token belongs to the keys beside it: one left over in another place would be refused.
            let token = found(&token.definition).filter(|token| token.distance == key.distance);
            let keys = Keys {
                id: key.text,
                secret: Secret::new(secret.text),
                token: token.map(|token| Secret::new(token.text)),
            };
            Some((keys, key.distance))
        }
        (Some(key), None) => {
            mistakes.push(lone(&key, secret.definition.name));
            None
        }
        (None, Some(found)) => {
            mistakes.push(lone(&found, id.definition.name));
            None
        }
        (None, None) => None,
    }
}
