//! The parts of an answer that errors are made of.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use jiff::{SignedDuration, Timestamp};

/// How far a clock may be off before S3 refuses what it signs.
const SKEW: SignedDuration = SignedDuration::from_mins(15);
/// As much of a body as is looked at.
const LOOKED_AT: usize = 16 << 10;

/// What a store, or whatever answers in its place, said.
pub(crate) struct Said {
    pub(crate) status: u16,
    /// S3's code; empty where the answer has none.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    region_header: Option<String>,
    content_type: Option<String>,
    date: Option<String>,
    body: String,
}

impl Said {
    pub(crate) fn new(answer: &HttpResponse, code: Option<&str>, message: Option<&str>) -> Self {
        let header = |name: &str| answer.headers().get(name).map(str::to_owned);
        let body = answer.body().bytes().unwrap_or_default();
        let body = body.get(..LOOKED_AT).unwrap_or(body);
        Self {
            status: answer.status().as_u16(),
            code: code.unwrap_or_default().to_owned(),
            message: message.unwrap_or_default().to_owned(),
            request_id: header("x-amz-request-id"),
            region_header: header("x-amz-bucket-region"),
            content_type: header("content-type"),
            date: header("date"),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    pub(crate) fn code_or_status(&self) -> String {
        if self.code.is_empty() { format!("HTTP {}", self.status) } else { self.code.clone() }
    }

    /// Whether the status alone says that the request was accepted.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// "… is not authorized to perform: kms:GenerateDataKey on resource: …" names the permission that lacks.
    pub(crate) fn denied_action(&self) -> Option<&str> {
        self.message.split_once("not authorized to perform: ")?.1.split_whitespace().next()
    }

    /// The right region, as a header, an element, or "… the region 'us-east-1' is wrong; expecting 'eu-west-1'" says it.
    pub(crate) fn region(&self) -> Option<String> {
        let expected = || Some(self.message.split_once("expecting '")?.1.split_once('\'')?.0.to_owned());
        self.region_header.clone().or_else(|| self.element("Region")).or_else(expected)
    }

    /// The store's time, where it is so far from `ours` that it refuses what was signed by it.
    pub(crate) fn skewed_time(&self, ours: Timestamp) -> Option<Timestamp> {
        self.time().filter(|theirs| ours.duration_since(*theirs).abs() > SKEW)
    }

    /// The store's time.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        let told = self.element("ServerTime").and_then(|text| text.parse().ok());
        let header = || {
            let date = DateTime::from_str(self.date.as_deref()?, DateTimeFormat::HttpDate).ok()?;
            Timestamp::from_second(date.secs()).ok()
        };
        told.or_else(header)
    }

    /// What kind of answer it is that isn't S3's, in words.
    pub(crate) fn kind(&self) -> String {
        let content_type = self.content_type.as_deref().and_then(|text| text.split(';').next());
        content_type.map_or_else(|| format!("HTTP {}", self.status), |kind| format!("HTTP {} with {kind}", self.status))
    }

    /// A page for people, which no store sends to programs.
    pub(crate) fn is_page(&self) -> bool {
        let starts = self.body.trim_start().get(..5).unwrap_or_default().to_ascii_lowercase();
        self.content_type.as_deref().is_some_and(|kind| kind.starts_with("text/html"))
            || ["<!doc", "<html"].contains(&&*starts)
    }

    /// The text of an element of the body.
    fn element(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        let text = rest.split_once("</")?.0.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}
