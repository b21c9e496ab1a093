//! What a bucket says of locks, of versions that are hidden, and of when they go.

use aws_sdk_s3::types::{
    ExpirationStatus, LifecycleRule, ObjectLockEnabled, ObjectLockLegalHoldStatus, ObjectLockRetentionMode,
};
use catalog::Object;
use catalog::erasure::Lock;
use jiff::Timestamp;

use super::{Bucket, Call};
use crate::Error;

impl Bucket {
    /// A bucket without a configuration of locks has none. Who may not ask has to ask about each object.
    pub(crate) async fn knows_locks(&self) -> bool {
        let asked = self.call(Call::on_bucket("s3:GetBucketObjectLockConfiguration"), || {
            self.client.get_object_lock_configuration().bucket(&self.settings.bucket).send()
        });
        match asked.await {
            Ok(answer) => answer
                .object_lock_configuration()
                .is_some_and(|locks| locks.object_lock_enabled() == Some(&ObjectLockEnabled::Enabled)),
            Err(error) => matches!(error, Error::AccessDenied { .. }),
        }
    }

    /// What locks a version now. A refusal, or a store that knows no locks, is none.
    pub(crate) async fn lock_of(&self, object: &Object) -> Option<Lock> {
        let (bucket, key) = (&self.settings.bucket, object.key.as_str());
        let version = object.pinned_version().map(str::to_owned);
        let hold = self.call(Call::new("s3:GetObjectLegalHold", key), || {
            self.client.get_object_legal_hold().bucket(bucket).key(key).set_version_id(version.clone()).send()
        });
        let is_held = hold.await.is_ok_and(|answer| {
            answer.legal_hold().is_some_and(|hold| hold.status() == Some(&ObjectLockLegalHoldStatus::On))
        });
        if is_held {
            return Some(Lock { until: None, compliance: false });
        }
        let retention = self.call(Call::new("s3:GetObjectRetention", key), || {
            self.client.get_object_retention().bucket(bucket).key(key).set_version_id(version.clone()).send()
        });
        let answer = retention.await.ok()?;
        let retention = answer.retention()?;
        let until = Timestamp::from_second(retention.retain_until_date()?.secs()).ok()?;
        let compliance = retention.mode() == Some(&ObjectLockRetentionMode::Compliance);
        (until > Timestamp::now()).then_some(Lock { until: Some(until), compliance })
    }

    /// The fewest days that a rule about our prefix says.
    pub(crate) async fn noncurrent_days(&self) -> Option<u32> {
        let asked = self.call(Call::on_bucket("s3:GetLifecycleConfiguration"), || {
            self.client.get_bucket_lifecycle_configuration().bucket(&self.settings.bucket).send()
        });
        let answer = asked.await.ok()?;
        let ours = answer.rules().iter().filter(|rule| {
            *rule.status() == ExpirationStatus::Enabled && self.layout.prefix().starts_with(prefix(rule))
        });
        let days = ours.filter_map(|rule| rule.noncurrent_version_expiration()?.noncurrent_days());
        days.min().and_then(|days| u32::try_from(days).ok())
    }
}

#[expect(deprecated, reason = "older rules name their prefix in this way")]
fn prefix(rule: &LifecycleRule) -> &str {
    rule.filter().and_then(|filter| filter.prefix()).or(rule.prefix()).unwrap_or_default()
}
