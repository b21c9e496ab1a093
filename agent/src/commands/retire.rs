//! `lastgood retire`: says that no more backups of a database will come, so that nobody is woken for their absence. Nothing is
//! removed; a backup that comes all the same makes the database expected again.

use std::fmt;

use catalog::words;
use catalog::{DatabaseEntry, Unknown};
use jiff::Timestamp;
use repository::Repository;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::RetireArgs;
use crate::places;
use crate::settings::Settings;

/// `lastgood retire --json`.
#[derive(Serialize)]
struct Answer {
    repository: String,
    database: String,
    retired: Timestamp,
    /// How many backups stay.
    backups: usize,
}

/// Marks a database as no longer expected.
///
/// # Errors
/// Exit 5 when the repository knows nothing of it; exit 1 when the answer at the prompt isn't yes.
pub(crate) async fn run(args: &RetireArgs, settings: &Settings) -> Result<Exit, Failure> {
    let repository = places::repository(args.place, settings).await?;
    let all = repository.catalogs().await?;
    let Some(catalog) = all.iter().find(|catalog| catalog.database == args.database) else {
        let known: Vec<&str> = all.iter().map(|catalog| catalog.database.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let error = format!("{} knows no database `{}`", repository.display_name(), args.database);
        return Err(Failure::new(Exit::NotFound, error).hint(format!("databases with backups there: {known}")));
    };
    let entry = repository.database_entry_of(&args.database).await?;
    let answer = |retired| Answer {
        repository: repository.display_name(),
        database: args.database.clone(),
        retired,
        backups: catalog.entries.len(),
    };
    if let Some(entry) = entry.as_ref().filter(|entry| !entry.is_expected(catalog))
        && let Some(retired) = entry.retired
    {
        let answer = answer(retired);
        settings.report.answer(&answer, &answer)?;
        return Ok(Exit::Done);
    }
    let what = format!(
        "{} in {}: {} stay. From now on nobody is told when no new one comes.\n",
        args.database,
        repository.display_name(),
        words::count(catalog.entries.len() as u64, "backup"),
    );
    prompt::ask(&what, "Retire it?", args.confirm).map_err(|no| no.hint("--confirm says yes beforehand"))?;
    let now = Timestamp::now();
    let oldest = catalog.entries.last().map_or(now, |entry| entry.instant);
    let unmarked =
        || DatabaseEntry { database: args.database.clone(), since: oldest, retired: None, unknown: Unknown::default() };
    write(&repository, &DatabaseEntry { retired: Some(now), ..entry.unwrap_or_else(unmarked) }).await?;
    let answer = answer(now);
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

async fn write(repository: &Repository, entry: &DatabaseEntry) -> Result<(), Failure> {
    let json = entry.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    repository.put_over(&repository.layout().database_entry(&entry.database), json).await?;
    Ok(())
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { repository, database, retired, backups } = self;
        let retired = words::second(*retired);
        writeln!(
            f,
            "{database} is retired in {repository} since {retired}; its {} stay.",
            words::count(*backups as u64, "backup")
        )?;
        writeln!(f, "lastgood backup makes it expected again.")
    }
}
