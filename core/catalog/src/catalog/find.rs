//! A backup by the name a person types.

use jiff::Timestamp;

use super::{Catalog, Entry};
use crate::backup::{BackupId, InvalidName};

/// Why a name finds no backup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// `latest`, and no backup is good.
    #[error("database `{database}` has no good backup")]
    NoneGood {
        /// The database whose catalog was asked.
        database: String,
    },
    /// The name isn't one.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// There is no such backup.
    #[error("database `{database}` has no backup `{name}`")]
    Absent {
        /// The database whose catalog was asked.
        database: String,
        /// What was asked for.
        name: String,
    },
    /// A label that occurs in several date folders.
    #[error("`{name}` is the name of {} backups: {}", places.len(), places.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The full names, newest first.
        places: Vec<String>,
    },
}

impl NotFound {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoneGood { .. } => "`lastgood list` shows what there is; `lastgood verify` judges unverified backups",
            Self::Name(_) | Self::Absent { .. } => "`lastgood list` shows the names; `latest` is the newest good one",
            Self::Ambiguous { .. } => "name it with its date folder, as YYYYMMDD/NAME",
        }
    }
}

impl Catalog {
    /// The backup called `name`: `latest` (the newest good one at `now`), a stem, its label alone, or one of them behind its
    /// date folder, as `YYYYMMDD/STEM`.
    ///
    /// # Errors
    /// When there is none, or the stem occurs in several date folders.
    pub fn find(&self, name: &str, now: Timestamp) -> Result<&Entry, NotFound> {
        if name == "latest" {
            return self.newest_good(now).ok_or_else(|| NotFound::NoneGood { database: self.database.clone() });
        }
        let (id, no_name) = match name.parse::<BackupId>() {
            Ok(id) => (id, None),
            Err(error) => (BackupId::of_tag(name, &self.database).ok_or_else(|| error.clone())?, Some(error)),
        };
        let named = |entry: &&Entry| entry.id.stem == id.stem && (id.day.is_none() || entry.id.day == id.day);
        let found: Vec<&Entry> = self.entries.iter().filter(named).collect();
        match found.as_slice() {
            [] => Err(no_name.map_or_else(
                || NotFound::Absent { database: self.database.clone(), name: name.to_owned() },
                NotFound::Name,
            )),
            [entry] => Ok(entry),
            several => {
                let places = several.iter().map(|entry| entry.id.to_string()).collect();
                Err(NotFound::Ambiguous { name: name.to_owned(), places })
            }
        }
    }
}
