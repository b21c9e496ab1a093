//! A backup that was verified, and what was found.

use archive::{Content, Inspected};
use catalog::Verdict;

use crate::answers::failure::Failure;

/// What became of one backup.
#[derive(Debug)]
pub(super) struct Verified {
    /// The backup's name, or the file's path.
    pub(super) name: String,
    /// Where its archive is, or should be.
    pub(super) place: String,
    pub(super) finding: Finding,
}

/// What verifying found.
#[derive(Debug)]
pub(super) enum Finding {
    /// It was read to its end, or is missing.
    Judged(Box<Judgement>),
    /// It cannot be read now, and why.
    Skipped(&'static str),
    /// It could not be read: unknown, and neither intact nor damaged.
    Failed(Failure),
}

/// A verdict, and what it was given on.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    /// `None`: the archive is missing.
    pub(super) inspected: Option<Inspected>,
    pub(super) recorded: Recorded,
}

/// Whether the verdict was stored beside what it is about.
#[derive(Debug)]
pub(super) enum Recorded {
    Written,
    /// A file outside a repository: its verdict is only printed.
    Told,
    /// This identity may not write verdicts.
    Refused(Failure),
    /// It should have been stored, but was not.
    Failed(Failure),
}

impl Verified {
    /// Whether it was read, and is whole.
    pub(super) fn is_intact(&self) -> bool {
        matches!(&self.finding, Finding::Judged(judgement) if judgement.verdict.is_intact())
    }
}

impl Judgement {
    /// What kept its content from being read, where that is no damage.
    pub(super) fn limit(&self) -> Option<&archive::Damage> {
        match &self.inspected.as_ref()?.content {
            Content::Damaged(damage) => Some(damage).filter(|damage| damage.is_limit()),
            Content::Walked(_) | Content::Unread => None,
        }
    }

    /// What the walk counted; `None` where it was not read to its end.
    pub(super) fn walked(&self) -> Option<&archive::Walked> {
        match &self.inspected.as_ref()?.content {
            Content::Walked(walked) => Some(walked),
            Content::Unread | Content::Damaged(_) => None,
        }
    }
}
