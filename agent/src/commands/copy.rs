//! `lastgood copy`: brings backups from one place to another, without asking the database again. The bytes are held to the manifest's
//! digests while they go by, and the manifest comes last, as in a backup. Verdicts and drills stay where they are: they say something of
//! the bytes there, and the other place is judged by itself.

mod answer;
mod beside;
mod carry;
mod find;
mod way;

use catalog::encode_database;

use crate::answers::failure::{Exit, Failure};
use crate::cli::CopyArgs;
use crate::commands::copy::answer::{CopyAnswer, Fate, Row};
use crate::commands::copy::find::{Found, Wanted};
use crate::commands::copy::way::Way;
use crate::interrupt::{Interrupt, stopped_by};
use crate::lock::Lock;
use crate::logging;
use crate::settings::Settings;

/// Copies one backup, or every one that lacks.
///
/// # Errors
/// Exit 5 when the one that is named does not exist; when a place cannot be listed, or the only one cannot be copied.
pub(crate) async fn run(args: &CopyArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let way = Way::open(args, settings, interrupt).await?;
    let found = find::backups(args, &way).await?;
    let all = found.backups.len();
    let (mut rows, mut stopped) = (Vec::new(), None);
    for (at, found) in found.backups.iter().enumerate() {
        stopped = interrupt.seen().map(stopped_by);
        if stopped.is_some() {
            break;
        }
        let fate = fate(&way, found, args.dry_run).await.unwrap_or_else(Fate::Failed);
        let row = Row { name: found.entry.name(), database: found.database.clone(), size: found.entry.size(), fate };
        if args.missing {
            tracing::info!("{} of {}: {row}", at + 1, all);
        }
        rows.push(row);
    }
    if let (false, [Row { fate: Fate::Failed(failure), .. }]) = (args.missing, rows.as_slice()) {
        return Err(failure.clone());
    }
    if let Some(failure) = stopped.as_ref().filter(|_| rows.is_empty()) {
        return Err(failure.clone());
    }
    let answer = CopyAnswer::new(&way, args, rows, (found.others, found.bare));
    logging::done(&answer);
    let exit = stopped.as_ref().map_or(answer.exit(), |failure| failure.exit);
    settings.report.outcome(exit, &answer.document(), &answer)?;
    answer.failures().chain(&stopped).for_each(|failure| settings.report.say(failure));
    Ok(exit)
}

async fn fate(way: &Way<'_>, found: &Found, dry_run: bool) -> Result<Fate, Failure> {
    match &found.wanted {
        Wanted::There(there) => carry::compare(way, &found.entry, there).await,
        Wanted::No(why) => Ok(Fate::Skipped(why.clone())),
        Wanted::Copy if dry_run => Ok(Fate::Would),
        Wanted::Copy => {
            let _lock = Lock::for_copy(&way.settings.lock_directory, &encode_database(&found.database))?;
            carry::copy(way, &found.entry).await
        }
    }
}
