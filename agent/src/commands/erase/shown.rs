//! The plan, for people and programs: what happens to each backup, and what stands in the way of others.

use std::fmt;

use catalog::erasure::{Fate, Row};
use catalog::words;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::erase::facts::Ground;
use crate::commands::erase::trial::Tried;
use crate::settings::Settings;

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
}

impl Intent {
    pub(super) fn new(ground: &Ground, rows: &[Row<'_>], tried: Option<Tried>, settings: &Settings) -> Self {
        Self {
            database: ground.catalog.database.clone(),
            repository: ground.repository.display_name(),
            backups: rows.iter().map(Planned::new).collect(),
            tried,
            folder: settings.spool_directory.display().to_string(),
        }
    }

    /// Whether there is nothing to ask about.
    pub(super) fn is_idle(&self) -> bool {
        self.backups.iter().all(|planned| planned.action == Action::Leave)
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
            writeln!(f, "  clear    {}: what a run that broke off has left of an upload", planned.backup)?;
        }
        for planned in self.of(Action::Leave) {
            let (reason, remedy) =
                (planned.reason.as_deref().unwrap_or_default(), planned.remedy.as_deref().unwrap_or_default());
            writeln!(f, "  leave    {}: {reason}; {remedy}", planned.backup)?;
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
