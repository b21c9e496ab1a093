//! `lastgood retire`: marks a database as no longer backed up, so that no alarm reports it as missing. Nothing is removed; a new
//! backup makes the database expected again.

use std::fmt;

use catalog::{DatabaseEntry, words};
use jiff::Timestamp;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::RetireArgs;
use crate::interrupt::Interrupt;
use crate::marks;
use crate::places;
use crate::settings::Settings;

/// `lastgood retire --json`.
#[derive(Serialize)]
struct RetireAnswer {
    repository: String,
    database: String,
    retired: Timestamp,
    /// How many backups are kept.
    backups: usize,
}

/// Marks a database as no longer expected.
///
/// # Errors
/// Exit 5 when the repository has no such database; exit 1 when the answer at the prompt is not yes.
pub(crate) async fn run(args: &RetireArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    let all = repository.catalogs().await?;
    let Some(catalog) = all.iter().find(|catalog| catalog.database == args.database) else {
        let known: Vec<&str> = all.iter().map(|catalog| catalog.database.as_str()).collect();
        let hint = match known.as_slice() {
            [] => "check the bucket, the prefix or the directory: there are no backups".to_owned(),
            known => format!("choose one of the databases there: {}", known.join(", ")),
        };
        let error = format!("no database `{}` in {}", args.database, repository.display_name());
        return Err(Failure::new(Exit::NotFound, error).hint(hint));
    };
    let entry = repository.database_entry_of(&args.database).await?;
    let answer = |retired| RetireAnswer {
        repository: repository.display_name(),
        database: args.database.clone(),
        retired,
        backups: catalog.entries.len(),
    };
    let now = Timestamp::now();
    if let Some(entry) = entry.as_ref().filter(|entry| !entry.is_expected(catalog, now))
        && let Some(retired) = entry.retired
    {
        let answer = answer(retired);
        settings.report.answer(&answer, &answer)?;
        return Ok(Exit::Done);
    }
    let what = format!(
        "{} in {}: `check` and the alarms stop reporting it as missing. Backups kept: {}.\n",
        args.database,
        repository.display_name(),
        catalog.entries.len(),
    );
    prompt::ask(&what, "Retire it?", args.confirm, interrupt).map_err(|no| match interrupt.seen() {
        Some(_) => no,
        None => no.hint("answer yes with --confirm"),
    })?;
    let oldest = catalog.entries.last().map_or(now, |entry| entry.instant);
    let entry = entry.unwrap_or_else(|| DatabaseEntry::new(&args.database, oldest));
    marks::write(&repository, &DatabaseEntry { retired: Some(now), ..entry }).await?;
    let answer = answer(now);
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

impl fmt::Display for RetireAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { repository, database, retired, backups } = self;
        let retired = words::second(*retired);
        writeln!(f, "{database} in {repository} was retired on {retired}. Backups kept: {backups}.")?;
        writeln!(f, "A new backup of it ends the retirement.")
    }
}
