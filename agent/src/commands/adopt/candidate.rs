//! A guest that was looked at, and what became of it.

use catalog::manifest::Manifest;
use catalog::{Outcome, Verdict};

use crate::answers::failure::Failure;

/// What became of one backup.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) fate: Fate,
}

/// Why its verdict was not stored: this identity may not write any.
pub(super) type Unjudged = Option<Failure>;

/// What was done with it, or would be.
#[derive(Debug)]
pub(super) enum Fate {
    Adopted {
        manifest: Box<Manifest>,
        unjudged: Unjudged,
        /// Its verdict could not be stored, though this identity may.
        failed: Option<Failure>,
    },
    /// With `--dry-run`; the outcome of an earlier verdict, where there is one.
    Would(Option<Outcome>),
    /// It is damaged: its verdict says so, and nothing else was written.
    Damaged {
        verdict: Box<Verdict>,
        unjudged: Unjudged,
    },
    /// It needs no adoption, or cannot be read now.
    Skipped(String),
    Failed(Failure),
}
