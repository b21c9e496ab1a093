//! `lastgood copy`: brings backups from one place to another, without asking the database again. The bytes are held to the manifest's
//! digests while they go by, and the manifest comes last, as in a backup. Verdicts and drills stay where they are: they say something of
//! the bytes there, and the other place is judged by itself.

mod answer;
mod beside;
mod carry;
mod find;

use catalog::encode_database;
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::cli::CopyArgs;
use crate::commands::copy::answer::{CopyAnswer, Fate, Row};
use crate::commands::copy::find::{Found, Wanted};
use crate::interrupt::{Interrupt, stopped_by};
use crate::lock::Lock;
use crate::logging;
use crate::places::Spot;
use crate::read_back::Reader;
use crate::settings::Settings;

/// From where to where.
pub(crate) struct Way<'a> {
    pub(crate) from: Repository,
    pub(crate) to: Repository,
    pub(crate) spots: (Spot, Spot),
    pub(crate) settings: &'a Settings,
    pub(crate) reader: Reader,
    pub(crate) interrupt: &'a Interrupt,
}

/// Copies one backup, or every one that lacks.
///
/// # Errors
/// Exit 5 when the one that is named does not exist; when a place cannot be listed, or the only one cannot be copied.
pub(crate) async fn run(args: &CopyArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let way = Way::open(args, settings, interrupt).await?;
    let found = find::backups(args, &way).await?;
    let mut rows = Vec::new();
    for found in &found.backups {
        if let Some(signal) = interrupt.seen() {
            return Err(stopped_by(signal));
        }
        let fate = fate(&way, found, args.dry_run).await.unwrap_or_else(Fate::Failed);
        let row = Row { name: found.entry.name(), database: found.database.clone(), size: found.entry.size(), fate };
        if args.missing {
            tracing::info!("{row}");
        }
        rows.push(row);
    }
    if let (false, [Row { fate: Fate::Failed(failure), .. }]) = (args.missing, rows.as_slice()) {
        return Err(failure.clone());
    }
    let answer = CopyAnswer::new(&way, args, rows, found.others);
    logging::done(&answer);
    settings.report.outcome(answer.exit(), &answer.document(), &answer)?;
    answer.failures().for_each(|failure| settings.report.say(failure));
    Ok(answer.exit())
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

impl<'a> Way<'a> {
    async fn open(args: &CopyArgs, settings: &'a Settings, interrupt: &'a Interrupt) -> Result<Self, Failure> {
        let spots = (Spot::asked(args.from.as_ref(), settings)?, Spot::asked(Some(&args.to), settings)?);
        if spots.0 == spots.1 {
            let place = spots.0.name(settings);
            return Err(Failure::new(Exit::Usage, format!("--from and --to are the same place: {place}"))
                .hint("choose two places: lastgood config --set ends with those that are set"));
        }
        let (from, to) = (spots.0.open(settings).await?, spots.1.open(settings).await?);
        // A disk that isn't mounted has no backups to copy, and nobody would notice.
        from.check_exists().await?;
        Ok(Self { from, to, spots, settings, reader: Reader::new(settings)?, interrupt })
    }

    pub(crate) fn from_name(&self) -> String {
        self.spots.0.name(self.settings)
    }

    pub(crate) fn to_name(&self) -> String {
        self.spots.1.name(self.settings)
    }
}
