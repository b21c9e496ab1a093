//! The event that woke the function. Only the fields that are used are read, so no other field can break it.
//!
//! EventBridge sends one arrival in an event, with its key as it is. A bucket's own notification holds several, with
//! keys that are form-encoded and must be decoded exactly once. A schedule names an action. A queue hands over any of
//! these, as the text of its messages.

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

/// An event, whatever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Objects were stored. A record that cannot be read does not hide the others.
    Arrivals(Vec<Result<Arrival, Malformed>>),
    /// A schedule asks for an action, or a person does.
    Scheduled(Scheduled),
    /// Messages of a queue, each with an event of its own.
    Queued(Vec<Queued>),
    /// Nothing to do, such as the test that S3 sends when notifications are set up.
    Nothing,
}

/// The arrival of one object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// The object's `ETag`, without quotes; some stores leave it out.
    pub etag: Option<String>,
}

/// One message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// By which the queue is told that it failed.
    pub id: String,
    /// By which the queue is told to hand it out again soon; only when it does so for the first time. What fails twice
    /// within minutes needs more of them.
    pub receipt: Option<String>,
    /// What it says.
    pub event: Result<Event, Malformed>,
}

/// What a schedule asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scheduled {
    /// What the function shall do.
    pub action: Action,
    /// The backup that it is about, by its full name; only where the action is about one.
    #[serde(default)]
    pub backup: Option<String>,
    /// Whether to say only what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// The time for which it was scheduled, where that is known: the event usually comes some seconds later.
    #[serde(default, deserialize_with = "time_or_none")]
    pub scheduled: Option<Timestamp>,
}

/// An action by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `verify`: verify one backup, if it is due.
    Verify,
    /// `sweep`: verify what events missed.
    Sweep,
    /// `prune`: plan retention, and carry the plan out.
    Prune,
    /// `measure`: measure freshness.
    Measure,
    /// `prove`: read one part of a large archive, for the state machine alone.
    Prove,
    /// `conclude`: go on where the proved parts end, for the state machine alone.
    Conclude,
}

/// An event, or a record of one, that the function cannot use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event for this function: {0}; hint: infra/template.yaml shows the rules and schedules that send them")]
pub struct Malformed(pub String);

impl Malformed {
    /// For an action of another function.
    pub(crate) fn not_for(function: &str, action: Action) -> Self {
        Self(format!("{function} has no action `{action}`"))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verify => "verify",
            Self::Sweep => "sweep",
            Self::Prune => "prune",
            Self::Measure => "measure",
            Self::Prove => "prove",
            Self::Conclude => "conclude",
        })
    }
}

impl Event {
    /// Reads an event of any of the forms.
    ///
    /// # Errors
    /// When it has none of these forms.
    pub fn read(payload: &Value) -> Result<Self, Malformed> {
        if let Some(records) = payload.get("Records").and_then(Value::as_array) {
            if records.iter().any(is_message) {
                return Ok(Self::Queued(records.iter().map(message).collect()));
            }
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

fn is_message(record: &Value) -> bool {
    record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs")
}

/// A queue's form: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>. Whatever its text is, it has an id.
fn message(record: &Value) -> Queued {
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    let received = record.pointer("/attributes/ApproximateReceiveCount").and_then(Value::as_str);
    let receipt = text("receiptHandle").filter(|_| received.is_none_or(|count| count == "1"));
    let said = text("body").ok_or_else(|| Malformed("a message of the queue has no body".to_owned()));
    let said = said.and_then(|body| {
        serde_json::from_str::<Value>(&body).map_err(|error| Malformed(format!("a message isn't JSON: {error}")))
    });
    let event = said.and_then(|said| match Event::read(&said) {
        Ok(Event::Queued(_)) => Err(Malformed("a message holds messages".to_owned())),
        read => read,
    });
    Queued { id: text("messageId").unwrap_or_default(), receipt, event }
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

/// One record of a bucket's notification; `None` when it is about anything but an arrival. Its form:
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
    Ok(decoded.map_err(|_| Malformed(format!("the key `{key}` is not UTF-8")))?.into_owned())
}

/// The scheduled time; `None` for a placeholder that the scheduler did not fill in.
fn time_or_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| text.parse().ok()))
}
