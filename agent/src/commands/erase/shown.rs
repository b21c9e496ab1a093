//! The plan, for people and programs: what happens to each backup, and what stands in the way of others.

use std::fmt;

use catalog::erasure::{Fate, Row};
use catalog::words;
use jiff::Timestamp;
use repository::Leftover;
use serde::Serialize;

use crate::answers::failure::Failure;
use crate::commands::erase::outcome::One;
use crate::commands::erase::trial::{Trials, Tried};

/// What an erasure is about to do.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Intent {
    database: String,
    repository: String,
    /// Newest first.
    backups: Vec<Planned>,
    /// What would leave the newest; null where none is to be changed.
    tried: Option<Tried>,
    #[serde(skip)]
    folder: String,
}

/// One backup.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Planned {
    backup: String,
    bytes: u64,
    action: Action,
    /// What takes its place already.
    by: Option<String>,
    /// Why it is left.
    reason: Option<String>,
    /// What can be done then.
    remedy: Option<String>,
    until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Erase,
    Finish,
    Clear,
    Leave,
    /// It was tried, and can't be.
    Fail,
    /// An earlier run of this request made it.
    Done,
}

impl Intent {
    pub(super) fn new(one: One<'_>, rows: &[Row<'_>], trials: &Trials) -> Self {
        let One { ground, settings, .. } = one;
        let backups = rows.iter().map(|row| match trials.failed.get(&row.entry.id) {
            Some(failure) => Planned::failed(row, failure),
            None if row.fate == Fate::Erase && one.is_made_by_it(row.entry).is_some() => {
                Planned { action: Action::Done, ..Planned::new(row) }
            }
            None => match trials.not_tried(one, row) {
                Some(why) => Planned { action: Action::Fail, reason: Some(why), ..Planned::new(row) },
                None => Planned::new(row),
            },
        });
        Self {
            database: ground.catalog.database.clone(),
            repository: ground.repository.display_name(),
            backups: backups.chain(ground.leftovers.iter().map(Planned::leftover)).collect(),
            tried: trials.tried.clone(),
            folder: settings.spool_directory.display().to_string(),
        }
    }

    /// Whether there is nothing to ask about.
    pub(super) fn is_idle(&self) -> bool {
        self.backups.iter().all(|planned| matches!(planned.action, Action::Leave | Action::Fail | Action::Done))
    }

    fn of(&self, action: Action) -> impl Iterator<Item = &Planned> {
        self.backups.iter().filter(move |planned| planned.action == action)
    }
}

impl Planned {
    fn new(row: &Row<'_>) -> Self {
        let (action, by, obstacle) = match &row.fate {
            Fate::Erase => (Action::Erase, None, None),
            Fate::Finish { by } => (Action::Finish, Some(by.to_string()), None),
            Fate::Clear => (Action::Clear, None, None),
            Fate::Leave(obstacle) => (Action::Leave, None, Some(obstacle)),
        };
        Self {
            backup: row.entry.id.to_string(),
            bytes: row.entry.size(),
            action,
            by,
            reason: obstacle.map(ToString::to_string),
            remedy: obstacle.map(|obstacle| obstacle.remedy(&row.entry.name())),
            until: obstacle.and_then(|obstacle| obstacle.until()),
        }
    }
}

impl Planned {
    fn failed(row: &Row<'_>, failure: &Failure) -> Self {
        Self {
            action: Action::Fail,
            reason: Some(failure.error.clone()),
            remedy: failure.hint.clone(),
            ..Self::new(row)
        }
    }

    /// What a listing doesn't show.
    fn leftover(leftover: &Leftover) -> Self {
        Self {
            backup: leftover.name.clone(),
            bytes: 0,
            action: Action::Clear,
            by: None,
            reason: Some("what a run has left of an upload; one that may still be writing it keeps it".to_owned()),
            remedy: None,
            until: None,
        }
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.of(Action::Erase).count() as u64;
        writeln!(f, "would erase from {} of {} in {}", words::count(number, "backup"), self.database, self.repository)?;
        for planned in self.of(Action::Erase) {
            writeln!(f, "  erase    {}, {}", planned.backup, words::size(planned.bytes))?;
        }
        for planned in self.of(Action::Finish) {
            let by = planned.by.as_deref().unwrap_or_default();
            writeln!(
                f,
                "  finish   {}: an earlier run has made {by} of it, and only its removal is left",
                planned.backup
            )?;
        }
        for planned in self.of(Action::Clear) {
            let what = planned.reason.as_deref().unwrap_or("what a run that broke off has left of an upload");
            writeln!(f, "  clear    {}: {what}", planned.backup)?;
        }
        for planned in self.of(Action::Done) {
            writeln!(f, "  done     {}: an earlier run of this request has made it", planned.backup)?;
        }
        for (action, word) in [(Action::Leave, "leave"), (Action::Fail, "fail ")] {
            for planned in self.of(action) {
                let reason = planned.reason.as_deref().unwrap_or_default();
                let remedy = planned.remedy.as_ref().map_or_else(String::new, |remedy| format!("; {remedy}"));
                writeln!(f, "  {word}    {}: {reason}{remedy}", planned.backup)?;
            }
        }
        if let Some(tried) = &self.tried {
            let found = match (tried.has_table, tried.tables.is_empty()) {
                (false, _) => "it has no such table".to_owned(),
                (true, true) => "no rows".to_owned(),
                _ => tried.tables.iter().map(|table| table.in_words()).collect::<Vec<_>>().join("; "),
            };
            writeln!(f, "  in {}: {found}", tried.backup)?;
            writeln!(
                f,
                "  each is restored into a temporary server in {}, stored again without the rows, and removed with all its",
                self.folder
            )?;
            writeln!(f, "  versions once the new one is verified; what has no such rows stays as it is")?;
        }
        Ok(())
    }
}
