//! `lastgood diff`: what differs between two backups. Tables are compared by the censuses of the two manifests, definitions by the tables
//! of contents at the archives' heads; only `--rows` reads archives to their ends.
//!
//! find both → censuses → heads → rows, where they are asked for → answer

mod answer;
mod definitions;
mod failure;
mod heads;
mod lines;
mod range;
mod rows;
mod side;
mod tables;

use catalog::words;
use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::cli::DiffArgs;
use crate::commands::diff::answer::DiffAnswer;
use crate::commands::diff::heads::Heads;
use crate::commands::diff::rows::Wanted;
use crate::commands::diff::side::Side;
use crate::commands::diff::tables::Tables;
use crate::interrupt::Interrupt;
use crate::places;
use crate::settings::Settings;

/// Compares two backups.
///
/// # Errors
/// Exit 5 when there is no such backup, exit 4 when one that has no manifest is damaged, exit 1 when one can't be read.
pub(crate) async fn run(args: &DiffArgs, settings: &Settings, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    let open = async |id: &String| {
        let entry = places::find(&repository, settings, id).await?;
        Side::open(&repository, entry, settings, interrupt).await
    };
    let (first, second) = (open(&args.first).await?, open(&args.second).await?);
    let mut tables = Tables::compare(&first, &second);
    let (first, second, heads) = off_runtime(move || {
        let heads = heads::compare(&first, &second)?;
        Ok((first, second, heads))
    })
    .await?;
    tables.differ(&heads.reordered);
    let answer = DiffAnswer::new(&repository, (&first, &second), &tables, &heads, Timestamp::now());
    if args.rows {
        let wanted = Wanted::of(args, &tables, &heads, (&first, &second))?;
        let (report, spool, is_equal) = (settings.report, settings.spool_directory.clone(), answer.is_equal());
        let differ = off_runtime(move || {
            let rows = wanted.read(&first, &second, &spool)?;
            // What can fail for long has not: from here on the answer is written as it is found.
            answer.begin(report)?;
            wanted.compare(&rows, &spool, report)
        })
        .await?;
        return Ok(exit(args, is_equal && !differ, &heads));
    }
    settings.report.answer(&answer, &answer)?;
    Ok(exit(args, answer.is_equal(), &heads))
}

/// As `drill` ends where something differs, if that is asked for. What could not be compared isn't known to be equal.
fn exit(args: &DiffArgs, is_equal: bool, heads: &Heads) -> Exit {
    match (args.exit_code, is_equal) {
        (false, _) => Exit::Done,
        (true, false) => Exit::Unhealthy,
        (true, true) if heads.uncompared.is_empty() => Exit::Done,
        (true, true) => {
            tracing::warn!(
                "nothing differs, but not all could be compared: {}",
                words::first_of(&heads.uncompared, 3, "; ")
            );
            Exit::Failed
        }
    }
}

/// Reading and decompressing block.
async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(Failure::new(Exit::Failed, format!("the comparison's own thread failed: {e}"))))
}
