//! `lastgood expect`: marks a database as one whose backups are expected, with limits of its own where they are given. The AWS stack's
//! alarms go by them, and so does `check` where no setting says otherwise. It ends a retirement.

use std::fmt;

use catalog::{DatabaseEntry, words};
use jiff::Timestamp;
use repository::{Error, PutOutcome, Repository};
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::cli::ExpectArgs;
use crate::marks;
use crate::places;
use crate::settings::Settings;

/// `lastgood expect --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExpectAnswer {
    repository: String,
    database: String,
    since: Timestamp,
    /// Null: the AWS stack's, or the settings'.
    max_age_hours: Option<u32>,
    min_size: Option<u64>,
    /// How many backups there are.
    backups: usize,
}

/// Writes the mark, or shows it where nothing changes.
///
/// # Errors
/// When the repository cannot be asked, or refuses the mark.
pub(crate) async fn run(args: &ExpectArgs, settings: &Settings) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    let catalog = repository.catalog(&args.database).await?;
    let read = repository.database_entry_of(&args.database).await;
    // What is broken says nothing that could be kept: this command is how it is mended.
    let is_broken = matches!(&read, Err(Error::Document { source, .. }) if source.is_broken());
    let known = if is_broken { None } else { read? };
    let since = || catalog.entries.last().map_or_else(Timestamp::now, |entry| entry.instant);
    let mut entry = known.clone().unwrap_or_else(|| DatabaseEntry::new(&args.database, since()));
    entry.retired = None;
    entry.max_age_hours = args.max_age.or(entry.max_age_hours.filter(|_| !args.no_max_age));
    entry.min_size = args.min_size.or(entry.min_size.filter(|_| !args.no_min_size));
    match &known {
        Some(known) if *known == entry => {}
        None if !is_broken => put(&repository, &entry).await?,
        Some(_) | None => marks::write(&repository, &entry).await?,
    }
    let answer = ExpectAnswer {
        repository: repository.display_name(),
        database: entry.database,
        since: entry.since,
        max_age_hours: entry.max_age_hours,
        min_size: entry.min_size,
        backups: catalog.entries.len(),
    };
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

/// Puts the first mark of a database, which an identity may that replaces none.
async fn put(repository: &Repository, entry: &DatabaseEntry) -> Result<(), Failure> {
    let json = entry.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    let key = repository.layout().database_entry(&entry.database);
    match repository.put_new(&key, json).await? {
        PutOutcome::Stored(_) => Ok(()),
        PutOutcome::Exists => {
            Err(Failure::new(Exit::Failed, format!("another run has marked {} in the meantime", entry.database))
                .hint("run it again"))
        }
    }
}

impl fmt::Display for ExpectAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Backups of {} are expected in {}.", self.database, self.repository)?;
        match self.max_age_hours {
            Some(hours) => writeln!(f, "  newest good one at most {} old", words::count(hours.into(), "hour"))?,
            None => writeln!(f, "  age: no limit of its own")?,
        }
        match self.min_size {
            Some(bytes) => writeln!(f, "  at least {}", words::size(bytes))?,
            None => writeln!(f, "  size: no limit of its own")?,
        }
        match self.backups {
            0 => writeln!(f, "There is no backup of it yet."),
            _ => Ok(()),
        }
    }
}
