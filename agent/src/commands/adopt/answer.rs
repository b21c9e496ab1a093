//! What `adopt` answers.

use std::fmt;

use catalog::Outcome;
use catalog::verdict::Finding;
use catalog::words;
use repository::Repository;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::{census, report};
use crate::commands::adopt::candidate::{Candidate, Fate};

/// Everything that was looked at.
pub(super) struct AdoptAnswer<'a> {
    repository: String,
    candidates: &'a [Candidate],
}

/// `lastgood adopt --json`.
#[derive(Serialize)]
pub(super) struct AdoptDocument<'a> {
    repository: &'a str,
    backups: Vec<CandidateLine<'a>>,
}

#[derive(Serialize)]
struct CandidateLine<'a> {
    name: &'a str,
    size: u64,
    /// `adopted`, `would-adopt`, `damaged`, `skipped` or `failed`.
    outcome: &'static str,
    tables: Option<usize>,
    rows: Option<u64>,
    /// Whether the verdict was stored beside the archive.
    written: bool,
    /// What is wrong with a damaged one.
    findings: &'a [Finding],
    skipped: Option<&'a str>,
    error: Option<&'a str>,
    hint: Option<&'a str>,
}

impl<'a> AdoptAnswer<'a> {
    pub(super) fn new(repository: &Repository, candidates: &'a [Candidate]) -> Self {
        Self { repository: repository.display_name(), candidates }
    }

    pub(super) fn document(&self) -> AdoptDocument<'_> {
        AdoptDocument {
            repository: &self.repository,
            backups: self.candidates.iter().map(CandidateLine::new).collect(),
        }
    }

    pub(super) fn failures(&self) -> impl Iterator<Item = &'a Failure> {
        self.candidates.iter().filter_map(|candidate| match &candidate.fate {
            Fate::Failed(failure) | Fate::Adopted { failed: Some(failure), .. } => Some(failure),
            _ => None,
        })
    }

    pub(super) fn exit(&self) -> Exit {
        let is_damaged = |candidate: &Candidate| {
            matches!(candidate.fate, Fate::Damaged { .. } | Fate::Would(Some(Outcome::Damaged)))
        };
        if self.candidates.iter().any(is_damaged) {
            Exit::Damaged
        } else if self.failures().next().is_some() {
            Exit::Failed
        } else {
            Exit::Done
        }
    }
}

impl<'a> CandidateLine<'a> {
    fn new(candidate: &'a Candidate) -> Self {
        let Candidate { name, size, fate } = candidate;
        let row = Self {
            name,
            size: *size,
            outcome: "failed",
            tables: None,
            rows: None,
            written: false,
            findings: &[],
            skipped: None,
            error: None,
            hint: None,
        };
        match fate {
            Fate::Adopted { manifest, unjudged, failed } => {
                let census = &manifest.census;
                let (tables, rows) = (Some(census.tables.len()), census.counted_rows());
                let (error, hint) = failed.as_ref().map(|failure| (&*failure.error, failure.hint.as_deref())).unzip();
                let written = unjudged.is_none() && failed.is_none();
                Self { outcome: "adopted", tables, rows, written, error, hint: hint.flatten(), ..row }
            }
            Fate::Would(Some(Outcome::Damaged)) => Self { outcome: "damaged", ..row },
            Fate::Would(_) => Self { outcome: "would-adopt", ..row },
            Fate::Damaged { verdict, unjudged } => {
                Self { outcome: "damaged", findings: &verdict.findings, written: unjudged.is_none(), ..row }
            }
            Fate::Skipped(why) => Self { outcome: "skipped", skipped: Some(why), ..row },
            Fate::Failed(failure) => Self { error: Some(&failure.error), hint: failure.hint.as_deref(), ..row },
        }
    }
}

impl fmt::Display for AdoptAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.candidates.is_empty() {
            return writeln!(
                f,
                "There is nothing to adopt in {}: every archive there has a manifest.",
                self.repository
            );
        }
        self.candidates.iter().try_for_each(|candidate| writeln!(f, "{}", line(candidate)))
    }
}

/// One backup in a line.
pub(super) fn line(candidate: &Candidate) -> String {
    let Candidate { name, size, fate } = candidate;
    let (name, size) = (report::printable(name), words::size(*size));
    match fate {
        Fate::Adopted { manifest, unjudged, .. } => {
            let verdict = unjudged
                .as_ref()
                .map(|why| format!("; its verdict was not stored ({}): that is left to the verifier", why.error));
            format!("adopted  {name}  {size}: {}{}", census::summary(&manifest.census), verdict.unwrap_or_default())
        }
        Fate::Would(None) => format!("would    {name}  {size}: read it back, and adopt it if it is intact"),
        Fate::Would(Some(Outcome::Intact)) => format!("would    {name}  {size}: adopt it; it was found intact before"),
        Fate::Would(Some(Outcome::Damaged)) => format!("DAMAGED  {name}  {size}: found damaged before; not adopted"),
        Fate::Damaged { verdict, .. } => {
            let texts: Vec<&str> = verdict.findings.iter().map(|finding| finding.text.as_str()).collect();
            format!("DAMAGED  {name}  {size}: {}; not adopted", texts.join("; "))
        }
        Fate::Skipped(why) => format!("skipped  {name}: {why}"),
        Fate::Failed(failure) => format!("FAILED   {name}: {}", failure.error),
    }
}
