//! What woke the function. Only the fields that are used are read, so nothing else in an event can poison one.
//!
//! An object's arrival comes from EventBridge, one to an event and its key as it is; or from a bucket's own notification,
//! several to an event and their keys form-encoded, to be decoded exactly once. A schedule names an action.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Objects were stored. A record that can't be read doesn't hide the others.
    Arrivals(Vec<Result<Arrival, Malformed>>),
    /// A schedule, or a person.
    Scheduled(Scheduled),
    /// Nothing to do, such as the test that S3 sends when notifications are set up.
    Nothing,
}

/// An object was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// In this bucket.
    pub bucket: String,
    /// Under this key, decoded.
    pub key: String,
    /// With this `ETag`, without quotes; some stores leave it out.
    pub etag: Option<String>,
}

/// What a schedule asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scheduled {
    /// What to do.
    pub action: Action,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// The time for which it was scheduled, where that is known: it is late by seconds as a rule.
    #[serde(default, deserialize_with = "time_or_none")]
    pub scheduled: Option<Timestamp>,
}

/// An action by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Verify what events missed.
    Sweep,
    /// Plan retention, and act.
    Prune,
    /// Measure freshness.
    Measure,
}

/// An event, or a record of one, that isn't what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event for this function: {0}; hint: infra/template.yaml shows the rules and schedules that send them")]
pub struct Malformed(pub String);

impl Event {
    /// Reads an event of any of the forms.
    ///
    /// # Errors
    /// When it is of none of them.
    pub fn read(payload: &Value) -> Result<Self, Malformed> {
        if let Some(records) = payload.get("Records").and_then(Value::as_array) {
            return Ok(Self::Arrivals(records.iter().filter_map(notified).collect()));
        }
        if payload.get("detail-type").is_some() {
            let arrived = payload.get("detail-type").and_then(Value::as_str) == Some("Object Created");
            return Ok(if arrived { Self::Arrivals(vec![announced(payload)]) } else { Self::Nothing });
        }
        if payload.get("action").is_some() {
            return parse(payload).map(Self::Scheduled);
        }
        if payload.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
            return Ok(Self::Nothing);
        }
        Err(Malformed("it has no Records, no detail-type and no action".to_owned()))
    }
}

/// EventBridge's form: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
fn announced(payload: &Value) -> Result<Arrival, Malformed> {
    #[derive(Deserialize)]
    struct Announced {
        detail: Described,
    }
    let Announced { detail } = parse(payload)?;
    Ok(Arrival { bucket: detail.bucket.name, key: detail.object.key, etag: detail.object.etag })
}

/// One record of a bucket's notification; `None` when it tells of something else than an arrival. Its form:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
fn notified(record: &Value) -> Option<Result<Arrival, Malformed>> {
    #[derive(Deserialize)]
    struct Notified {
        s3: Described,
    }
    let name = record.get("eventName").and_then(Value::as_str).unwrap_or_default();
    if !name.is_empty() && !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return None;
    }
    Some(parse(record).and_then(|Notified { s3 }| {
        Ok(Arrival { bucket: s3.bucket.name, key: decoded(&s3.object.key)?, etag: s3.object.etag })
    }))
}

#[derive(Deserialize)]
struct Described {
    bucket: DescribedBucket,
    object: DescribedObject,
}

#[derive(Deserialize)]
struct DescribedBucket {
    name: String,
}

#[derive(Deserialize)]
struct DescribedObject {
    key: String,
    #[serde(default, alias = "eTag")]
    etag: Option<String>,
}

fn parse<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, Malformed> {
    T::deserialize(value).map_err(|error| Malformed(error.to_string()))
}

/// `a+b%2Bc` is `a b+c`.
fn decoded(key: &str) -> Result<String, Malformed> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    Ok(decoded.map_err(|_| Malformed(format!("the key `{key}` isn't UTF-8")))?.into_owned())
}

/// A scheduler that doesn't fill its placeholder in leaves the placeholder.
fn time_or_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| text.parse().ok()))
}
