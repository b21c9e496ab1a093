//! What `copy` answers.

use std::fmt;

use catalog::verdict::Outcome;
use catalog::{BackupId, State, Verdict, words};
use repository::Resumed;
use serde::Serialize;

use super::way::Way;
use crate::answers::failure::{Exit, Failure};
use crate::cli::CopyArgs;

/// What became of one backup.
pub(super) enum Fate {
    Copied(Box<Copied>),
    /// A dry run: it would be copied.
    Would,
    /// The same is there.
    There(State),
    /// It is left out, for this reason.
    Skipped(String),
    Failed(Failure),
}

/// A backup that is at the other place now.
pub(super) struct Copied {
    pub(super) id: BackupId,
    pub(super) resumed: Resumed,
    /// The store copied it by itself.
    pub(super) in_store: bool,
    pub(super) seconds: f64,
    pub(super) notes: Vec<String>,
    /// `None`: it was not read back here.
    pub(super) verdict: Option<Verdict>,
}

/// One backup, and what became of it.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) database: String,
    pub(super) size: u64,
    pub(super) fate: Fate,
}

pub(super) struct CopyAnswer {
    from: String,
    to: String,
    places: (String, String),
    addresses: (String, String),
    dry_run: bool,
    missing: bool,
    rows: Vec<Row>,
    others: Vec<String>,
    bare: u64,
}

impl CopyAnswer {
    pub(super) fn new(way: &Way<'_>, args: &CopyArgs, rows: Vec<Row>, (others, bare): (Vec<String>, u64)) -> Self {
        let places = (way.spots.0.label(way.settings), way.spots.1.label(way.settings));
        let addresses = (way.from.display_name(), way.to.display_name());
        let (dry_run, missing) = (args.dry_run, args.missing);
        Self { from: way.source(), to: way.target(), places, addresses, dry_run, missing, rows, others, bare }
    }

    pub(super) fn exit(&self) -> Exit {
        let damaged = self.rows.iter().any(|row| row.is_damaged());
        match (damaged, self.failures().next()) {
            (true, _) => Exit::Damaged,
            (false, Some(_)) => Exit::Failed,
            (false, None) => Exit::Done,
        }
    }

    pub(super) fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.rows.iter().filter_map(|row| match &row.fate {
            Fate::Failed(failure) => Some(failure),
            _ => None,
        })
    }

    /// `lastgood copy --json`.
    pub(super) fn document(&self) -> CopyDocument<'_> {
        let place = |place, repository| PlaceDocument { place, repository };
        CopyDocument {
            from: place(&self.places.0, &self.addresses.0),
            to: place(&self.places.1, &self.addresses.1),
            dry_run: self.dry_run,
            backups: self.rows.iter().map(RowDocument::new).collect(),
            other_databases: &self.others,
            without_manifest: self.bare,
        }
    }
}

impl Row {
    fn is_damaged(&self) -> bool {
        match &self.fate {
            Fate::Failed(failure) => failure.exit == Exit::Damaged,
            Fate::There(state) => *state == State::Damaged,
            Fate::Copied(copied) => copied.verdict.as_ref().is_some_and(|verdict| verdict.outcome == Outcome::Damaged),
            _ => false,
        }
    }

    fn word(&self) -> &'static str {
        match &self.fate {
            Fate::Copied(copied) => match copied.verdict.as_ref().map(|verdict| verdict.outcome) {
                Some(Outcome::Damaged) => "damaged",
                _ => "copied",
            },
            Fate::Would => "would",
            Fate::There(_) => "there",
            Fate::Skipped(_) => "skipped",
            Fate::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = words::size(self.size);
        let word = match self.fate {
            Fate::Failed(_) => "FAILED",
            Fate::Would => "missing",
            _ => self.word(),
        };
        write!(f, "{word:<8}  {size:>9}  {}", self.name)?;
        match &self.fate {
            Fate::Copied(copied) => {
                write!(f, ", in {:.1} s", copied.seconds)?;
                if copied.in_store {
                    write!(f, ", within the store")?;
                }
                if let Resumed::Bytes(bytes) = copied.resumed {
                    write!(f, "; {} of it were there already", words::size(bytes))?;
                }
                copied.notes.iter().try_for_each(|note| write!(f, "; {note}"))?;
                let findings = copied.verdict.iter().flat_map(|verdict| &verdict.findings);
                findings.into_iter().try_for_each(|finding| write!(f, "; {}", finding.text))
            }
            Fate::Would => Ok(()),
            Fate::There(State::Damaged) => {
                write!(f, ", which is damaged there: remove its files there, and copy it again")
            }
            Fate::There(state) => write!(f, ", which is {state} there"),
            Fate::Skipped(why) => write!(f, ": {why}"),
            Fate::Failed(failure) => write!(f, ": {}", failure.error),
        }
    }
}

impl fmt::Display for CopyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "from {} to {}", self.from, self.to)?;
        self.rows.iter().try_for_each(|row| writeln!(f, "  {row}"))?;
        if self.missing {
            writeln!(f, "{}", self.summary())?;
        }
        if self.bare > 0 {
            let archives = words::count(self.bare, "archive");
            writeln!(
                f,
                "not copied: {archives} without a manifest in {} (lastgood list says what each is)",
                self.from
            )?;
        }
        if self.dry_run {
            writeln!(f, "nothing was copied")?;
        }
        if !self.others.is_empty() {
            let names = self.others.join(", ");
            writeln!(f, "Other databases with backups there: {names} (--database NAME, or --all-databases)")?;
        }
        Ok(())
    }
}

impl CopyAnswer {
    fn summary(&self) -> String {
        let count = |word: &str| self.rows.iter().filter(|row| row.word() == word).count() as u64;
        let copied = if self.dry_run { count("would") } else { count("copied") + count("damaged") };
        let verb = if self.dry_run { "would be copied" } else { "copied" };
        let mut parts = vec![format!("{} {verb}", words::count(copied, "backup"))];
        for (word, said) in [("skipped", "left out"), ("failed", "failed")] {
            if count(word) > 0 {
                parts.push(format!("{} {said}", count(word)));
            }
        }
        if self.rows.is_empty() { "nothing is missing there".to_owned() } else { parts.join(", ") }
    }
}

/// `lastgood copy --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CopyDocument<'a> {
    from: PlaceDocument<'a>,
    to: PlaceDocument<'a>,
    dry_run: bool,
    backups: Vec<RowDocument<'a>>,
    other_databases: &'a [String],
    /// Archives at the source that no manifest makes backups.
    without_manifest: u64,
}

#[derive(Serialize)]
struct PlaceDocument<'a> {
    /// What `--repository` calls it.
    place: &'a str,
    repository: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowDocument<'a> {
    database: &'a str,
    id: String,
    /// `copied`, `damaged`, `would`, `there`, `skipped` or `failed`.
    outcome: &'static str,
    size: u64,
    /// The store copied the archive by itself.
    in_store: bool,
    /// Bytes that a copy which was broken off had sent before; null where there were none.
    resumed_bytes: Option<u64>,
    /// Why it was left out or failed; null otherwise.
    reason: Option<&'a str>,
    hint: Option<&'a str>,
    notes: &'a [String],
}

impl<'a> RowDocument<'a> {
    fn new(row: &'a Row) -> Self {
        let copied = match &row.fate {
            Fate::Copied(copied) => Some(copied.as_ref()),
            _ => None,
        };
        let (reason, hint) = match &row.fate {
            Fate::Skipped(why) => (Some(why.as_str()), None),
            Fate::Failed(failure) => (Some(failure.error.as_str()), failure.hint.as_deref()),
            _ => (None, None),
        };
        Self {
            database: &row.database,
            id: copied.map_or_else(|| row.name.clone(), |copied| copied.id.to_string()),
            outcome: row.word(),
            size: row.size,
            in_store: copied.is_some_and(|copied| copied.in_store),
            resumed_bytes: copied.and_then(|copied| match copied.resumed {
                Resumed::Bytes(bytes) => Some(bytes),
                Resumed::Nothing | Resumed::Unknown => None,
            }),
            reason,
            hint,
            notes: copied.map(|copied| copied.notes.as_slice()).unwrap_or_default(),
        }
    }
}
