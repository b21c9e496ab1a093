//! The buckets' settings, and the identities that access them.
//!
//! The buckets after the first have settings of their own, by the same names with a number. What says how a store is used and who one
//! is there is the first one's as well where it is the same store, and nowhere else: nobody's keys go to another's store unasked.

use std::time::Duration;

use repository::{BucketSettings, Encryption, Keys, Retry, Secret};

use super::definition::{Definition, Setting};
use super::form::ServerSideEncryption;
use super::layers::{Found, Layers, Source};
use super::table;

/// More buckets than this are not backed up to.
const MOST: usize = 4;

/// Every bucket that is set, in the order of their numbers. Empty where none is: no request goes to AWS then.
pub(super) fn resolve(layers: &Layers, mistakes: &mut Vec<String>) -> Vec<BucketSettings> {
    mistakes.extend(without_bucket(layers));
    let mut buckets: Vec<BucketSettings> = Vec::new();
    for number in 1..=MOST {
        let Some(set) = layers.find_for(&table::BACKUP_S3_BUCKET.definition, number) else { continue };
        if number > 1 && layers.find_for(&table::BACKUP_S3_BUCKET.definition, number - 1).is_none() {
            let missing = table::BACKUP_S3_BUCKET.definition.twin(number - 1).unwrap_or_default();
            mistakes
                .push(format!("{} ({}): {missing} is not set; number the buckets without a gap", set.name, set.source));
        }
        let one = One { layers, number, first: buckets.first() };
        let Some(bucket) = one.resolve(&set, mistakes) else { continue };
        if let Some(other) = buckets.iter().position(|other| is_same_place(other, &bucket)) {
            let other = table::BACKUP_S3_BUCKET.definition.twin(other + 1).unwrap_or_default();
            mistakes.push(format!("{} ({}): it is the same place as that of {other}", set.name, set.source));
        }
        buckets.push(bucket);
    }
    buckets
}

/// What is set for a bucket that isn't: one line for each such number. AWS's names in the environment may be another program's.
fn without_bucket(layers: &Layers) -> Vec<String> {
    let is_ours = |found: &Found| found.source != Source::Environment || !found.name.starts_with("AWS_");
    let lone = (2..=MOST).filter_map(|number| {
        let bucket = table::BACKUP_S3_BUCKET.definition.twin(number)?;
        if layers.set(bucket).is_some() {
            return None;
        }
        let numbered = table::ALL.iter().filter(|definition| definition.numbered);
        let found = numbered.filter_map(|definition| layers.find_for(definition, number)).find(is_ours)?;
        Some(format!("{} ({}): {bucket} is not set, so there is no such bucket", found.name, found.source))
    });
    lone.collect()
}

fn is_same_place(one: &BucketSettings, other: &BucketSettings) -> bool {
    let place = |bucket: &BucketSettings| (store(bucket), bucket.bucket.clone(), bucket.prefix.clone());
    place(one) == place(other)
}

/// What tells one store from another: AWS, or the other's scheme, host, port and path.
pub(crate) fn store(bucket: &BucketSettings) -> String {
    let Some(endpoint) = &bucket.endpoint else { return "AWS".to_owned() };
    let Ok(url) = url::Url::parse(endpoint) else { return endpoint.clone() };
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    if host.ends_with(".amazonaws.com") {
        return "AWS".to_owned();
    }
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}://{host}:{port}{}", url.scheme(), url.path().trim_end_matches('/'))
}

/// One bucket, while its settings are gathered.
#[derive(Clone, Copy)]
struct One<'a> {
    layers: &'a Layers,
    number: usize,
    first: Option<&'a BucketSettings>,
}

impl One<'_> {
    fn resolve(self, set: &Found, mistakes: &mut Vec<String>) -> Option<BucketSettings> {
        let layers = self.layers;
        let mut bucket = BucketSettings::new(self.own(&table::BACKUP_S3_BUCKET)?, self.own(&table::BACKUP_S3_PREFIX)?);
        bucket.beside = self.number > 1;
        bucket.endpoint = self.endpoint();
        let same = self.first.filter(|first| store(first) == store(&bucket)).cloned();
        bucket.owner = self.own(&table::BACKUP_S3_BUCKET_OWNER);
        bucket.verdicts_of = self.own(&table::BACKUP_S3_VERDICTS_OF);
        bucket.region = self.set(&table::AWS_REGION).or_else(|| same.as_ref()?.region.clone());
        bucket.path_style = self.set(&table::BACKUP_S3_PATH_STYLE).or_else(|| same.as_ref()?.path_style);
        (bucket.keys, bucket.profile) = self.identity(set, same.as_ref(), mistakes);
        bucket.part_size = layers.get(&table::BACKUP_S3_PART_SIZE)?;
        bucket.parts_in_flight = usize::try_from(layers.get(&table::BACKUP_S3_PARTS_IN_FLIGHT)?).ok()?;
        bucket.max_parts = self.of_store(&table::BACKUP_S3_MAX_PARTS, same.as_ref().map(|same| same.max_parts))?;
        bucket.equal_parts =
            self.of_store(&table::BACKUP_S3_EQUAL_PARTS, same.as_ref().map(|same| same.equal_parts))?;
        bucket.checksum = self.of_store(&table::BACKUP_S3_CHECKSUM, same.as_ref().map(|same| same.checksum))?;
        bucket.encryption = self.encryption(mistakes);
        bucket.storage_class = self.own(&table::BACKUP_S3_STORAGE_CLASS);
        let minutes = u64::from(layers.get(&table::BACKUP_RETRY_MINUTES)?);
        bucket.retry = Retry::within(Duration::from_secs(60 * minutes), layers.get(&table::BACKUP_RETRY_DELAY)?);
        let bundle = self.set(&table::AWS_CA_BUNDLE).or_else(|| same.and_then(|same| same.ca_bundle));
        bucket.ca_bundle = bundle.or_else(|| layers.get(&table::SSL_CERT_FILE));
        Some(bucket)
    }

    /// What was set for it.
    fn set<T>(self, setting: &Setting<T>) -> Option<T> {
        self.layers.get_for(setting, self.number)
    }

    /// What was set for it, otherwise the setting's default; never another bucket's.
    fn own<T>(self, setting: &Setting<T>) -> Option<T> {
        let default = || (setting.form.parse)(setting.definition.default?).ok();
        match self.layers.find_for(&setting.definition, self.number) {
            Some(found) => (setting.form.parse)(&found.text).ok(),
            None => default(),
        }
    }

    /// What was set for it, otherwise that of the first bucket at the same store, otherwise the default.
    fn of_store<T>(self, setting: &Setting<T>, same: Option<T>) -> Option<T> {
        match self.layers.find_for(&setting.definition, self.number) {
            Some(found) => (setting.form.parse)(&found.text).ok(),
            None => same.or_else(|| self.own(setting)),
        }
    }

    /// AWS's own names for it are for every bucket that has none itself.
    fn endpoint(self) -> Option<String> {
        let setting = &table::BACKUP_S3_ENDPOINT;
        let aliases = || setting.definition.aliases.iter().find_map(|name| self.layers.set(name));
        match (self.number, self.set(setting)) {
            (1, endpoint) | (_, endpoint @ Some(_)) => endpoint,
            (_, None) => (setting.form.parse)(&aliases()?.text).ok(),
        }
    }

    fn encryption(self, mistakes: &mut Vec<String>) -> Encryption {
        let key = self.layers.find_for(&table::BACKUP_S3_KMS_KEY_ID.definition, self.number);
        match (self.set(&table::BACKUP_S3_SSE), key) {
            (Some(ServerSideEncryption::Aes256), Some(key)) => {
                let name = table::BACKUP_S3_SSE.definition.twin(self.number).unwrap_or_default();
                mistakes.push(format!("{} ({}): {name}=AES256 uses no key; aws:kms does", key.name, key.source));
                Encryption::S3
            }
            (Some(ServerSideEncryption::Aes256), None) => Encryption::S3,
            (Some(ServerSideEncryption::Kms), key) => Encryption::Kms { key_id: key.map(|found| found.text) },
            (None, Some(key)) => Encryption::Kms { key_id: Some(key.text) },
            (None, None) => Encryption::BucketDefault,
        }
    }

    /// Its own identity; without one that of the first bucket at the same store. At another store it has to have its own.
    fn identity(
        self,
        set: &Found,
        same: Option<&BucketSettings>,
        mistakes: &mut Vec<String>,
    ) -> (Option<Keys>, Option<String>) {
        let before = mistakes.len();
        let own = self.own_identity(mistakes);
        if self.number == 1 || own.0.is_some() || own.1.is_some() || mistakes.len() > before {
            return own;
        }
        if let Some(same) = same {
            return (same.keys.clone(), same.profile.clone());
        }
        let name = |definition: &Definition| definition.twin(self.number).unwrap_or_default();
        let elsewhere = match self.endpoint() {
            Some(_) => "it is at another store than the first bucket".to_owned(),
            None => {
                let endpoint = name(&table::BACKUP_S3_ENDPOINT.definition);
                format!("without {endpoint} it is in AWS, which isn't the first bucket's store")
            }
        };
        mistakes.push(format!(
            "{} ({}): {elsewhere}, whose credentials do not go there; set {} and {}, or {}",
            set.name,
            set.source,
            name(&table::BACKUP_AWS_ACCESS_KEY_ID.definition),
            name(&table::BACKUP_AWS_SECRET_ACCESS_KEY.definition),
            name(&table::AWS_PROFILE.definition),
        ));
        own
    }

    /// A profile from a higher-priority place than the keys wins, because this run was told so; otherwise keys win, as they do
    /// everywhere in AWS.
    fn own_identity(self, mistakes: &mut Vec<String>) -> (Option<Keys>, Option<String>) {
        let profile = self.layers.find_for(&table::AWS_PROFILE.definition, self.number);
        let ours = self.pair(
            &table::BACKUP_AWS_ACCESS_KEY_ID,
            [&table::BACKUP_AWS_SECRET_ACCESS_KEY, &table::BACKUP_AWS_SESSION_TOKEN],
            mistakes,
        );
        let mut shared = || {
            let rest = [&table::AWS_SECRET_ACCESS_KEY, &table::AWS_SESSION_TOKEN];
            if self.number == 1 { self.pair(&table::AWS_ACCESS_KEY_ID, rest, mistakes) } else { None }
        };
        match (ours.or_else(&mut shared), profile) {
            (Some((_, distance)), Some(profile)) if profile.distance < distance => (None, Some(profile.text)),
            (Some((keys, _)), _) => (Some(keys), None),
            (None, profile) => (None, profile.map(|found| found.text)),
        }
    }

    /// A key, its secret and its token, and the key's distance (see [`Found::distance`]).
    fn pair(
        self,
        id: &Setting<String>,
        [secret, token]: [&Setting<postgres::Secret>; 2],
        mistakes: &mut Vec<String>,
    ) -> Option<(Keys, usize)> {
        let found = |definition| self.layers.find_for(definition, self.number);
        let name = |definition: &Definition| definition.twin(self.number).unwrap_or(definition.name);
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
                mistakes.push(lone(&key, name(&secret.definition)));
                None
            }
            (None, Some(found)) => {
                mistakes.push(lone(&found, name(&id.definition)));
                None
            }
            (None, None) => None,
        }
    }
}
