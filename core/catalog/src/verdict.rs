//! The verdict: what re-reading the stored bytes found. Intact only when everything that could be known was, and agreed;
//! whatever is missing, short or unreadable is damaged, with a finding that says how.
//!
//! A verdict is about bytes, not about a name: it carries their version, `ETag`, size and checksum, and another version
//! under the same key is another thing to verify.

mod finding;
mod identity;
mod judge;
#[cfg(test)]
mod tests;

use std::fmt;

use archive::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use finding::{Code, Finding};
pub use identity::{Expected, Identity};
pub use judge::{Evidence, beyond_limits, judge, may_be_misread};

use crate::document::{DocumentError, Kind, Unknown};
use crate::layout::Record;
use crate::manifest::Manifest;
use crate::object::Object;

const KIND: Kind = Kind { what: "verdict", version: 1 };

/// Verdict version 1.
///
/// In JSON, `null` is what isn't known; sizes are bytes and times RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether the bytes are whole.
    pub outcome: Outcome,
    /// Whether the dump inside was read, or only the stored bytes.
    pub content: Content,
    /// What is wrong; empty when intact, never when damaged.
    pub findings: Vec<Finding>,
    /// The bytes this is about.
    pub identity: Identity,
    /// Of the bytes as they were read; null when there were none to read, or not all were.
    pub digest: Option<Digest>,
    /// The program that read them.
    pub verifier: Verifier,
    /// When the last byte had been read.
    pub verified: Timestamp,
    /// How much there is of it, beside the good ones before it; only where the verifier compared them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
    /// Fields of a later version.
    #[serde(skip)]
    pub unknown: Unknown,
}

/// How much a backup holds, and how much those before it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extent {
    /// Stored bytes.
    pub bytes: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// The median of the stored bytes of up to seven good backups before it; null without any.
    pub median_bytes: Option<u64>,
    /// The median of the rows of those of them whose manifests could be read; null without any.
    pub median_rows: Option<u64>,
}

impl Extent {
    /// The same beside no others.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { median_bytes: None, median_rows: None, ..self }
    }

    /// The stored bytes as a share of those before; `None` where there are none before.
    #[must_use]
    pub fn size_ratio(&self) -> Option<f64> {
        ratio(self.bytes, self.median_bytes)
    }

    /// The rows as a share of those before; `None` where there are none before.
    #[must_use]
    pub fn row_ratio(&self) -> Option<f64> {
        ratio(self.rows, self.median_rows)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is a double")]
fn ratio(number: u64, of: Option<u64>) -> Option<f64> {
    of.filter(|of| *of > 0).map(|of| number as f64 / of as f64)
}

/// Whether the stored bytes are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// They are what they should be, to the last byte.
    Intact,
    /// They aren't, or nothing proves that they are.
    Damaged,
}

/// How far the verifier could look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Into the dump, or as far as it could be read.
    Read,
    /// At the stored bytes alone: they are encrypted for others, or weren't read to their end.
    Unread,
}

/// The program that verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier {
    /// What it was: `agent`, or `function` in the cloud.
    pub name: String,
    /// Lastgood's version.
    pub version: String,
    /// The machine or function it ran on.
    pub host: String,
}

impl Extent {
    /// What a backup holds, beside the good ones before it.
    #[must_use]
    pub fn beside(bytes: u64, rows: u64, earlier_bytes: &[u64], earlier_rows: &[u64]) -> Self {
        Self { bytes, rows, median_bytes: median(earlier_bytes), median_rows: median(earlier_rows) }
    }
}

/// The median; `None` without values.
fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(u64::midpoint(*low, *high))
}

impl Verdict {
    /// The archive that a manifest promises isn't there.
    #[must_use]
    pub fn missing(manifest: &Manifest, at: Timestamp, by: Verifier) -> Self {
        let finding = Finding::new(Code::MISSING, format!("the archive {} isn't there", manifest.archive.key));
        Self::without_digest(Identity::promised(manifest), finding, at, by)
    }

    /// The bytes couldn't be read to their end in the time a verifier has. Unknown, and therefore not intact.
    #[must_use]
    pub fn unfinished(object: &Object, read: u64, at: Timestamp, by: Verifier) -> Self {
        let text = format!("only {read} of {} bytes could be read in the time there was", object.size);
        Self::without_digest(Identity::listed(object), Finding::new(Code::UNFINISHED, text), at, by)
    }

    /// Lastgood began to store the archive, and its manifest never came. It never was a backup, and a program that may
    /// not look into archives learns from this that it isn't a guest's either.
    #[must_use]
    pub fn uncommitted(object: &Object, at: Timestamp, by: Verifier) -> Self {
        let finding = Finding::new(Code::UNCOMMITTED, "its upload was begun by lastgood, and its manifest never came");
        Self::without_digest(Identity::listed(object), finding, at, by)
    }

    /// The same about a backup whose manifest is broken: its bytes may be whole, and nothing says what they should be.
    #[must_use]
    pub fn with_broken_manifest(mut self, how: &DocumentError) -> Self {
        self.outcome = Outcome::Damaged;
        self.findings.push(Finding::new(Code::MANIFEST, format!("its manifest is broken: {how}")));
        self
    }

    /// Whether the bytes are no archive at all, but something else.
    #[must_use]
    pub fn is_no_archive(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == Code::NOT_AN_ARCHIVE)
    }

    /// Whether it is the manifest alone that is wrong, and the bytes themselves are whole.
    #[must_use]
    pub fn blames_the_manifest_alone(&self) -> bool {
        !self.findings.is_empty() && self.findings.iter().all(|finding| finding.code == Code::MANIFEST)
    }

    fn without_digest(identity: Identity, finding: Finding, at: Timestamp, by: Verifier) -> Self {
        Self {
            outcome: Outcome::Damaged,
            content: Content::Unread,
            findings: vec![finding],
            identity,
            digest: None,
            verifier: by,
            verified: at,
            extent: None,
            unknown: Unknown::default(),
        }
    }

    /// Whether this says the archive is whole.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.outcome == Outcome::Intact
    }

    /// Whether this says that the archive wasn't there: see [`Verdict::missing`].
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == Code::MISSING)
    }

    /// Whether this says that the archive is ours and was never committed: see [`Verdict::uncommitted`].
    #[must_use]
    pub fn is_uncommitted(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == Code::UNCOMMITTED)
    }

    /// Whether this is about these bytes, and not about others that bore or bear the same name.
    #[must_use]
    pub fn is_about(&self, object: &Object) -> bool {
        self.identity.is_of(object, self.verified)
    }

    /// The document it is stored as.
    #[must_use]
    pub fn record(&self) -> Record {
        match self.outcome {
            Outcome::Intact => Record::Intact,
            Outcome::Damaged => Record::Damaged,
        }
    }

    /// Reads a verdict.
    ///
    /// # Errors
    /// When it is of a newer version, or isn't a verdict.
    pub fn from_json(json: &[u8]) -> Result<Self, DocumentError> {
        let (verdict, unknown) = KIND.read::<Self>(json)?;
        Ok(Self { unknown, ..verdict })
    }

    /// The verdict as it is stored.
    ///
    /// # Errors
    /// Only when a value can't be put into JSON, which none of these can.
    pub fn to_json(&self) -> Result<Vec<u8>, DocumentError> {
        KIND.write(self, &self.unknown)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Intact => "intact",
            Self::Damaged => "damaged",
        })
    }
}
