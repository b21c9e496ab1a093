//! What `verify` answers.

use std::fmt;

use archive::{Format, Kind, LargeObjectCensus, Portion, TableCensus};
use catalog::Verdict;
use catalog::verdict::Content;
use catalog::words;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::{census, report};
use crate::commands::verify::targets::{Targets, Waiting};
use crate::commands::verify::verified::{Finding, Judgement, Recorded, Verified};

/// Everything that was verified.
pub(super) struct VerifyAnswer<'a> {
    /// Whether `--all` was given: each backup gets a line instead of a page.
    all: bool,
    /// The repository's name, or the file's path.
    place: String,
    waiting: Waiting,
    verified: &'a [Verified],
}

/// `lastgood verify --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifyDocument<'a> {
    intact: usize,
    damaged: usize,
    failed: usize,
    skipped: usize,
    /// Due to be read again, and in Glacier.
    in_glacier: usize,
    /// Due to be read again, and left to later runs.
    left: usize,
    verified: Vec<VerifiedLine<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedLine<'a> {
    name: &'a str,
    archive: &'a str,
    /// Null: skipped, or it could not be read.
    verdict: Option<&'a Verdict>,
    /// Whether the verdict was stored beside the archive.
    written: bool,
    /// From the outside in; empty when nothing was read.
    kinds: &'a [Kind],
    /// The census of a single backup or file; null with `--all`, or where it could not be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    census: Option<Counted<'a>>,
    skipped: Option<&'static str>,
    error: Option<&'a str>,
    hint: Option<&'a str>,
}

/// A census, its fields spelled as in a manifest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counted<'a> {
    tables: &'a [TableCensus],
    large_objects: &'a LargeObjectCensus,
}

impl<'a> VerifyAnswer<'a> {
    pub(super) fn new(all: bool, targets: &Targets, verified: &'a [Verified]) -> Self {
        let (place, waiting) = match targets {
            Targets::Backups { repository, waiting, .. } => (repository.display_name(), *waiting),
            Targets::File(path) => (path.display().to_string(), Waiting::default()),
        };
        Self { all, place, waiting, verified }
    }

    /// Damage outranks everything else; what could not be read is not known to be good.
    pub(super) fn exit(&self) -> Exit {
        if self.judgements().any(|judgement| !judgement.verdict.is_intact()) {
            Exit::Damaged
        } else if self.failures().next().is_some() {
            Exit::Failed
        } else {
            Exit::Done
        }
    }

    /// What could not be read, and verdicts that should have been stored but were not.
    pub(super) fn failures(&self) -> impl Iterator<Item = &'a Failure> {
        self.verified.iter().filter_map(|verified| match &verified.finding {
            Finding::Failed(failure) => Some(failure),
            Finding::Judged(judgement) => match &judgement.recorded {
                Recorded::Failed(failure) => Some(failure),
                Recorded::Written | Recorded::Told | Recorded::Refused(_) => None,
            },
            Finding::Skipped(_) => None,
        })
    }

    pub(super) fn document(&self) -> VerifyDocument<'a> {
        let counts = self.counts();
        let verified = self.verified.iter().map(|verified| VerifiedLine::new(verified, self.all));
        VerifyDocument {
            intact: counts.intact,
            damaged: counts.damaged,
            failed: counts.failed,
            skipped: counts.skipped,
            in_glacier: self.waiting.in_glacier,
            left: self.waiting.left,
            verified: verified.collect(),
        }
    }

    /// The sentence about verdicts that this identity may not store, if there are any.
    pub(super) fn refusal(&self) -> Option<String> {
        refusal(self.judgements())
    }

    fn judgements(&self) -> impl Iterator<Item = &'a Judgement> {
        self.verified.iter().filter_map(|verified| match &verified.finding {
            Finding::Judged(judgement) => Some(&**judgement),
            Finding::Skipped(_) | Finding::Failed(_) => None,
        })
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for verified in self.verified {
            *match &verified.finding {
                Finding::Judged(judgement) if judgement.verdict.is_intact() => &mut counts.intact,
                Finding::Judged(_) => &mut counts.damaged,
                Finding::Skipped(_) => &mut counts.skipped,
                Finding::Failed(_) => &mut counts.failed,
            } += 1;
        }
        counts
    }
}

#[derive(Default)]
struct Counts {
    intact: usize,
    damaged: usize,
    failed: usize,
    skipped: usize,
}

impl<'a> VerifiedLine<'a> {
    fn new(verified: &'a Verified, all: bool) -> Self {
        let row = Self {
            name: &verified.name,
            archive: &verified.place,
            verdict: None,
            written: false,
            kinds: &[],
            census: None,
            skipped: None,
            error: None,
            hint: None,
        };
        match &verified.finding {
            Finding::Judged(judgement) => Self {
                verdict: Some(&judgement.verdict),
                written: matches!(judgement.recorded, Recorded::Written),
                kinds: judgement.inspected.as_ref().map_or(&[], |inspected| &inspected.kinds),
                census: judgement.walked().filter(|_| !all).map(|walked| Counted {
                    tables: &walked.census.tables,
                    large_objects: &walked.census.large_objects,
                }),
                ..row
            },
            Finding::Skipped(why) => Self { skipped: Some(why), ..row },
            Finding::Failed(failure) => Self { error: Some(&failure.error), hint: failure.hint.as_deref(), ..row },
        }
    }
}

impl fmt::Display for VerifyAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.all, self.verified) {
            (true, []) => {
                let why = match self.waiting.all - self.waiting.unfinished {
                    0 => "there are no backups",
                    _ => "all backups are verified already (--force reads them again)",
                };
                writeln!(f, "Nothing to verify in {}: {why}.", self.place)?;
                self.waiting.fmt(f)
            }
            (false, [one]) => page(one, f),
            (_, several) => {
                // The intact ones were printed as they were read.
                let told = several.iter().filter(|verified| !verified.is_intact());
                told.into_iter().try_for_each(|verified| writeln!(f, "{}", line(verified)))?;
                writeln!(f, "{} in {}", self.counts(), self.place)?;
                self.waiting.fmt(f)?;
                self.refusal().map_or(Ok(()), |why| writeln!(f, "{why}"))
            }
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.left > 0 {
            let left = words::count(self.left as u64, "verdict");
            writeln!(f, "{left} more will be renewed by later runs, the oldest first (BACKUP_REVERIFY_DAYS).")?;
        }
        if self.in_glacier > 0 {
            let frozen = words::count(self.in_glacier as u64, "archive");
            writeln!(f, "{frozen} in Glacier cannot be read again.")?;
        }
        if self.unfinished > 0 {
            let archives = words::count(self.unfinished as u64, "archive");
            writeln!(
                f,
                "{archives} without a manifest, of backups that were cut off: lastgood prune removes what they left."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} intact, {} damaged", self.intact, self.damaged)?;
        if self.failed > 0 {
            write!(f, ", {} not readable", self.failed)?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// One backup in a line.
pub(super) fn line(verified: &Verified) -> String {
    let name = report::printable(&verified.name);
    match &verified.finding {
        Finding::Skipped(why) => format!("skipped  {name}: {why}"),
        Finding::Failed(failure) => format!("FAILED   {name}: {}", failure.error),
        Finding::Judged(judgement) => {
            let verdict = &judgement.verdict;
            let size = words::size(verdict.identity.size);
            match verdict.findings.as_slice() {
                [] if verdict.content == Content::Unread => {
                    let why = judgement.limit().map_or("encrypted", |_| "beyond the limits of lastgood");
                    format!("intact   {name}  {size}, {why}: only its stored bytes were checked")
                }
                [] => format!("intact   {name}  {size}"),
                findings => {
                    let texts: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
                    format!("DAMAGED  {name}  {size}: {}", texts.join("; "))
                }
            }
        }
    }
}

/// What a file is, from the inside out: `a pg_dump custom-format archive in gzip`.
fn format_of(kinds: &[Kind]) -> String {
    kinds.iter().rev().map(ToString::to_string).collect::<Vec<_>>().join(" in ")
}

/// One backup with all that was found.
fn page(verified: &Verified, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Finding::Judged(judgement) = &verified.finding else { return writeln!(f, "{}", line(verified)) };
    let verdict = &judgement.verdict;
    let outcome = if verdict.is_intact() { "intact" } else { "DAMAGED" };
    writeln!(f, "{outcome}: {}", verified.place)?;
    verdict.findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))?;
    if let Some(digest) = &verdict.digest {
        writeln!(f, "  {} read ({} bytes), MD5 {}", words::size(digest.size), digest.size, digest.md5)?;
    }
    if let Some(inspected) = &judgement.inspected {
        writeln!(f, "  format: {}", format_of(&inspected.kinds))?;
    }
    if let Some(portion) = judgement.walked().and_then(|walked| walked.portion) {
        writeln!(f, "  {}", portion_in_words(portion))?;
    }
    if let Some(limit) = judgement.limit() {
        writeln!(f, "  it is beyond the limits of lastgood, and its content was not read: {limit}")?;
    } else if verdict.content == Content::Unread && judgement.inspected.is_some() {
        writeln!(
            f,
            "  it is encrypted, and no matching key is set (BACKUP_AGE_IDENTITY_FILE): its content was not read"
        )?;
    }
    if let Some(walked) = judgement.walked() {
        let header = &walked.header;
        let [database, server, tool] =
            [&header.database, &header.server_version, &header.pg_dump_version].map(|text| report::printable(text));
        match header.format {
            Format::Custom | Format::Tar => {
                writeln!(
                    f,
                    "  database {database} of PostgreSQL {server}, dumped by pg_dump {tool} at {}",
                    header.created
                )?;
            }
            Format::Plain => writeln!(f, "  a database of PostgreSQL {server}, dumped by pg_dump {tool}")?,
            // With --globals-only nothing says of which version.
            Format::Cluster if server.is_empty() => {
                writeln!(f, "  a whole server's roles and tablespaces, dumped by pg_dumpall --globals-only")?
            }
            Format::Cluster => writeln!(f, "  a whole server of PostgreSQL {server}, dumped by pg_dumpall")?,
        }
        writeln!(f, "\n{}", census::summary(&walked.census))?;
        write!(f, "{}", census::largest(&walked.census))?;
        census::more(&walked.census).map_or(Ok(()), |more| writeln!(f, "  {more}"))?;
    }
    match &judgement.recorded {
        Recorded::Written => writeln!(f, "\nThe verdict was stored beside it."),
        Recorded::Told | Recorded::Failed(_) => Ok(()),
        Recorded::Refused(_) => refusal([&**judgement].into_iter()).map_or(Ok(()), |why| writeln!(f, "\n{why}")),
    }
}

/// What a dump of a part of a database is good for.
fn portion_in_words(portion: Portion) -> &'static str {
    match portion {
        Portion::Rows => "only rows: it has no tables to put them into (pg_dump --data-only)",
        Portion::Definitions => "only definitions: it has tables and the rows of none (pg_dump --schema-only)",
        Portion::Finish => "only indexes and constraints, of tables that it lacks (pg_dump --section=post-data)",
    }
}

/// The sentence about verdicts that this identity may not store, if there are any.
fn refusal<'a>(mut judgements: impl Iterator<Item = &'a Judgement>) -> Option<String> {
    judgements.find_map(|judgement| match &judgement.recorded {
        Recorded::Refused(failure) => Some(format!(
            "The verdict was not stored, so `lastgood list` does not show it: {}.\n\
             Choose an identity that may write verdicts with --aws-profile NAME.",
            failure.error
        )),
        Recorded::Written | Recorded::Told | Recorded::Failed(_) => None,
    })
}
