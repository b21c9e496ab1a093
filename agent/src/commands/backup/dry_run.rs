//! `lastgood backup --dry-run`: checks everything a backup depends on, and writes nothing.

use std::fmt;
use std::time::Duration;

use catalog::manifest::Purpose;
use catalog::words;
use postgres::Stop;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::backup::globals;
use crate::commands::backup::source::Source;
use crate::places::Spot;
use crate::settings::{DatabaseSettings, Settings};

/// What a backup would do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Intent {
    databases: Vec<DatabaseIntent>,
    repositories: Vec<String>,
    compression: String,
    encrypted_for: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DatabaseIntent {
    database: String,
    server_version: String,
    size: Option<u64>,
    standby: bool,
    pg_dump: String,
    pg_dump_version: String,
}

/// Checks each database and each repository.
///
/// # Errors
/// Every failure that a backup would meet: what mends one need not mend the other.
pub(crate) async fn run(settings: &Settings, databases: &[DatabaseSettings], stop: &Stop) -> Result<Exit, Failure> {
    let (mut intents, mut failures) = (Vec::new(), Vec::new());
    for database in databases {
        match Source::open(settings, database, Purpose::Backup, stop, Duration::ZERO) {
            Ok(source) => {
                source.partial().iter().for_each(|partial| tracing::warn!("{partial}"));
                globals::rehearse(settings, &source);
                intents.push(DatabaseIntent::new(&source));
            }
            Err(failure) => failures.push(failure),
        }
    }
    let mut repositories = Vec::new();
    let several = |failure: Failure, spot: Spot| match settings.buckets.len() {
        0 | 1 => failure,
        _ => Failure { error: format!("{}: {}", spot.name(settings), failure.error), ..failure },
    };
    for spot in Spot::all(settings) {
        match try_storing(spot, settings).await {
            Ok(name) => repositories.push(name),
            Err(failure) => failures.push(several(spot.own(failure), spot)),
        }
    }
    together(failures)?;
    let intent = Intent {
        databases: intents,
        repositories,
        compression: settings.compression.to_string(),
        encrypted_for: settings.recipients.len(),
    };
    settings.report.answer(&intent, &intent)?;
    Ok(Exit::Done)
}

/// All of them as one.
fn together(mut failures: Vec<Failure>) -> Result<(), Failure> {
    let Some(last) = failures.pop() else { return Ok(()) };
    if failures.is_empty() {
        return Err(last);
    }
    failures.push(last);
    let exit = failures.first().map_or(Exit::Failed, |failure| failure.exit);
    let lines: Vec<String> = failures.iter().map(|failure| format!("\n  {}", failure.error)).collect();
    let hints: Vec<String> = failures.into_iter().filter_map(|failure| failure.hint).collect();
    let error = format!("{} things stand in the way of a backup:{}", lines.len(), lines.concat());
    Err(Failure::new(exit, error).hint(hints.join("; ")))
}

/// Tries one place, and names it.
async fn try_storing(spot: Spot, settings: &Settings) -> Result<String, Failure> {
    let repository = spot.open(settings).await?;
    repository.check_access().await?;
    repository.try_storing().await?;
    Ok(repository.display_name())
}

impl DatabaseIntent {
    fn new(source: &Source) -> Self {
        Self {
            database: source.server.database.clone(),
            server_version: source.server.version().to_string(),
            size: source.server.size,
            standby: source.server.standby,
            pg_dump: source.pg_dump.path.display().to_string(),
            pg_dump_version: source.pg_dump.version.to_string(),
        }
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for database in &self.databases {
            let size = database.size.map_or("of unknown size".to_owned(), words::size);
            let standby = if database.standby { ", a standby" } else { "" };
            writeln!(
                f,
                "would back up {} ({size}, PostgreSQL {}{standby})",
                database.database, database.server_version
            )?;
            writeln!(f, "  with {} {}", database.pg_dump, database.pg_dump_version)?;
        }
        for repository in &self.repositories {
            writeln!(f, "  to {repository}")?;
        }
        let sealed = match self.encrypted_for {
            0 => "not encrypted (BACKUP_AGE_RECIPIENTS encrypts)".to_owned(),
            keys => format!("encrypted for {}", words::count(keys as u64, "age key")),
        };
        writeln!(f, "  compression {}, {sealed}", self.compression)?;
        write!(f, "nothing was written")
    }
}
