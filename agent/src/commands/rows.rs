//! `lastgood rows`: rows of one table straight from a stored archive. By the index beside it only the parts are read that may hold
//! them; an archive without one is read from its front, to the end of the table.

mod asked;
mod contents;
mod indexed;
mod output;
mod picker;
mod reading;
mod sealed;
mod table;

use catalog::BackupId;
use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::cli::RowsArgs;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::choose;
use crate::commands::rows::asked::Asked;
use crate::commands::rows::output::Output;
use crate::commands::rows::picker::Picker;
use crate::commands::rows::reading::Place;
use crate::commands::rows::table::Table;
use crate::interrupt::Interrupt;
use crate::settings::{DatabaseSettings, Settings};

/// Prints the rows that the command line asks for.
///
/// # Errors
/// Exit 5 when there is no such backup or table, exit 2 when there is no such column, exit 4 when the archive is damaged.
pub(crate) async fn run(args: &RowsArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let asked = Asked::of(args, settings.report.json)?;
    let database = database(args, settings)?;
    let choosing = choose::choose(&asked.which, settings, &database, Timestamp::now());
    let (backup, stored) = interrupt.or(choosing).await?;
    backup.notes.iter().for_each(|note| tracing::warn!("{note}"));
    let archive = Archive::new(&backup, stored.clone(), settings, interrupt)?;
    let report = settings.report;
    let printing = tokio::task::spawn_blocking(move || {
        let mut output = Output::new(asked.format);
        match print(&asked, &backup, &stored, &archive, &mut output) {
            // One document has begun on stdout: another would spoil both.
            Err(failure) if output.has_begun() => {
                report.say(&failure);
                Ok(failure.exit)
            }
            printed => printed,
        }
    });
    printing.await.map_err(|e| Failure::new(Exit::Failed, format!("reading the rows failed: {e}")))?
}

/// On a thread that may block, within the runtime.
fn print(
    asked: &Asked,
    backup: &Backup,
    stored: &StoredBytes,
    archive: &Archive,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut place = Place::open(backup, stored, archive)?;
    let contents = place.contents()?;
    let table = Table::of(&asked.table, &contents)?;
    let mut picker = Picker::new(asked, &table, &contents, output)?;
    picker.begin()?;
    let is_read = picker.wants_more();
    if is_read {
        place.read(&table, &mut picker)?;
    }
    picker.end()?;
    picker.doubts().iter().filter(|_| is_read).for_each(|doubt| tracing::warn!("{doubt}"));
    Ok(Exit::Done)
}

/// The name of the database whose backups are looked through: the one in the backup's own name, or else that of the settings.
fn database(args: &RowsArgs, settings: &Settings) -> Result<String, Failure> {
    if let Ok(id) = args.id.parse::<BackupId>() {
        return Ok(id.stem.database().into_owned());
    }
    if args.backup_file.is_some() || args.from_s3.is_some() {
        return Ok(String::new());
    }
    match settings.databases.as_slice() {
        [one] => name(one),
        _ => Err(Failure::new(Exit::Usage, "more than one database is configured, and rows are read of one")
            .hint("name it with --database NAME")),
    }
}

fn name(database: &DatabaseSettings) -> Result<String, Failure> {
    let known = database.name.as_deref().or_else(|| database.connection.database());
    known.map(str::to_owned).ok_or_else(|| {
        Failure::new(Exit::Usage, "the settings name no database").hint("name it with --database NAME, or set DB_NAME")
    })
}
