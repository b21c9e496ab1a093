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
mod outcome;
mod remains;
mod remove;
mod shown;
mod store;
mod trial;
mod verdict;
mod work;

use catalog::erasure::{Fate, Row, plan};
use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::EraseArgs;
use crate::commands::erase::asked::Request;
use crate::commands::erase::certified::Book;
use crate::commands::erase::facts::Ground;
use crate::commands::erase::outcome::One;
use crate::commands::erase::shown::Intent;
use crate::interrupt::{Interrupt, stopped_by};
use crate::lock::Lock;
use crate::settings::Settings;

/// Erases from the backups that were chosen. If one fails, the others go on.
///
/// # Errors
/// When nothing could begin; the certificate tells what became of each backup.
pub(crate) async fn run(args: &EraseArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let request = Request::of(args)?;
    let ground = interrupt.or(Ground::gather(args, settings)).await?;
    let _lock = Lock::for_erasure(&settings.lock_directory, &catalog::encode_database(&ground.catalog.database))?;
    let rows = plan(&ground.catalog.entries, &ground.known, |id| ground.chosen.contains(id));
    let tried = trial::on_the_newest(&ground, &rows, &request, settings, interrupt).await?;
    let intent = Intent::new(&ground, &rows, tried, settings);
    if args.dry_run {
        settings.report.answer(&intent, &intent)?;
        return Ok(Exit::Done);
    }
    if intent.is_idle() {
        return finish(args, settings, Book::new(&ground, &request), interrupt, &rows).await;
    }
    let (own, confirm) = (interrupt.clone(), args.confirm);
    let asking = tokio::task::spawn_blocking(move || {
        prompt::ask(&intent, "Erase, and remove the originals for good?", confirm, &own)
    });
    asking.await.map_err(|e| Failure::new(Exit::Failed, format!("the question failed: {e}")))??;
    finish(args, settings, Book::new(&ground, &request), interrupt, &rows).await
}

/// Carries the plan out, and certifies it.
async fn finish(
    args: &EraseArgs,
    settings: &Settings,
    mut book: Book<'_>,
    interrupt: &Interrupt,
    rows: &[Row<'_>],
) -> Result<Exit, Failure> {
    // What an earlier run has begun first: of what took a backup's place another one may be made then.
    let (begun, others): (Vec<&Row<'_>>, Vec<&Row<'_>>) =
        rows.iter().partition(|row| matches!(row.fate, Fate::Clear | Fate::Finish { .. }));
    for row in begun.into_iter().chain(others) {
        let one = One { ground: book.ground, request: book.request, settings, interrupt };
        let done = match (interrupt.seen(), book.is_refused()) {
            (Some(signal), _) => Err(stopped_by(signal)),
            (None, true) => Err(outcome::not_tried()),
            (None, false) => one.carry_out(row).await,
        };
        book.note(row, done, settings);
    }
    let remains = remains::of(book.ground, settings).await;
    let certificate = book.certificate(remains, Timestamp::now());
    answer::give(args, settings, book, &certificate).await
}
