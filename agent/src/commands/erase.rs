//! `lastgood erase`: somebody's rows leave the backups. Each backup is restored into a temporary server, changed by SQL, dumped again,
//! compared, and stored beside the original; once that is verified, the original goes, with all its versions.
//!
//! asked → facts (records, locks, keys) → plan → tried on the newest → "yes" → clear and finish what a broken run left → each backup,
//! newest first → what remains → certificate. The repository alone says how far a run has come.

mod answer;
mod asked;
mod certified;
mod changes;
mod dump;
mod facts;
mod leftovers;
mod outcome;
mod paper;
mod remains;
mod remove;
mod running;
mod shown;
mod store;
mod trial;
mod verdict;
mod work;

use std::collections::BTreeSet;

use catalog::BackupId;
use catalog::erasure::{Fate, Row, plan};
use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::EraseArgs;
use crate::commands::erase::asked::Request;
use crate::commands::erase::certified::Book;
use crate::commands::erase::facts::Ground;
use crate::commands::erase::outcome::{Done, One};
use crate::commands::erase::paper::Paper;
use crate::commands::erase::running::{Past, Running};
use crate::commands::erase::shown::Intent;
use crate::commands::erase::trial::Trials;
use crate::interrupt::Interrupt;
use crate::lock::Lock;
use crate::settings::Settings;

/// Erases from the backups that were chosen. If one fails, the others go on.
///
/// # Errors
/// When nothing could begin; the certificate tells what became of each backup.
pub(crate) async fn run(args: &EraseArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let request = Request::of(args)?;
    let paper = args.certificate.as_deref().filter(|_| !args.dry_run).map(Paper::at).transpose()?;
    let ground = interrupt.or(Ground::gather(args, settings)).await?;
    let _lock = Lock::for_erasure(&settings.lock_directory, &catalog::encode_database(&ground.catalog.database))?;
    // Another erasure may have ended since.
    let ground = interrupt.or(Ground::gather(args, settings)).await?;
    let rows = plan(&ground.catalog.entries, &ground.known, |id| ground.chosen.contains(id));
    let one = One { ground: &ground, request: &request, settings, interrupt };
    let trials = Trials::run(one, &rows).await?;
    let intent = Intent::new(one, &rows, &trials);
    if args.dry_run {
        settings.report.answer(&intent, &intent)?;
        return Ok(if trials.failed.is_empty() { Exit::Done } else { Exit::Failed });
    }
    if !intent.is_idle() {
        let (own, confirm) = (interrupt.clone(), args.confirm);
        let asking = tokio::task::spawn_blocking(move || {
            prompt::ask(&intent, "Erase, and remove the originals for good?", confirm, &own)
        });
        asking.await.map_err(|e| Failure::new(Exit::Failed, format!("the question failed: {e}")))??;
        if args.salt.is_none() {
            settings
                .report
                .tell(&format!("salt {}: keep it; should this run break off, --salt goes on with it", request.salt));
        }
    }
    carry_out(one, &rows, &trials, paper.as_ref()).await
}

/// Carries the plan out, and certifies it.
async fn carry_out(one: One<'_>, rows: &[Row<'_>], trials: &Trials, paper: Option<&Paper>) -> Result<Exit, Failure> {
    let mut book = Book::new(one.ground, one.request, rows, Past::of(one.ground, one.request).await);
    let repository = &one.ground.repository;
    let mut running = Running::begin(repository, paper, book.past(), &book.certificate(Vec::new(), None)).await?;
    let swept = leftovers::sweep(one.ground).await;
    book.clear(swept.as_ref().map_or(&[], |swept| &swept.gone));
    // What an earlier run has begun first: of what took a backup's place another one may be made then.
    let (begun, others): (Vec<&Row<'_>>, Vec<&Row<'_>>) =
        rows.iter().partition(|row| matches!(row.fate, Fate::Clear | Fate::Finish { .. }));
    let mut cleared = BTreeSet::new();
    for row in begun.into_iter().chain(others) {
        let done = next(one, row, (trials, &cleared), book.is_refused()).await;
        if matches!(done, Ok(Done::Cleared)) {
            cleared.insert(row.entry.id.clone());
        }
        book.note(row, done, one.settings);
        running.keep(&book.certificate(Vec::new(), None)).await;
    }
    let remains = remains::of(one, rows, swept).await;
    // One that was told to stop is gone on with.
    let finished = one.interrupt.seen().is_none().then(Timestamp::now);
    answer::give(one, running, &book.certificate(remains, finished)).await
}

/// What becomes of the next one. After a removal that was refused nothing else is begun: each would leave two backups where one was.
async fn next(
    one: One<'_>,
    row: &Row<'_>,
    (trials, cleared): (&Trials, &BTreeSet<BackupId>),
    is_refused: bool,
) -> Result<Done, Failure> {
    if let Some(signal) = one.interrupt.seen() {
        return Ok(Done::NotBegun(format!("the run was stopped by {signal} before it came to it")));
    }
    if let Some(known) = trials.known(&row.entry.id) {
        return known;
    }
    if let Some(why) = trials.not_tried(one, row) {
        return Ok(Done::NotBegun(why));
    }
    if is_refused {
        return Ok(Done::NotBegun("not tried, because an earlier original could not be removed".to_owned()));
    }
    one.carry_out(row, cleared).await
}
