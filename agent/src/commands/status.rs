//! `lastgood status`, and `lastgood` alone: one screen that says how the last good backups are, and what to run next.
//!
//! What is wrong is for `check` to say: nothing here judges a second time. It is for a person who waits, so it has seconds.

mod answer;
mod begin;
mod next;

use std::time::Duration;

use repository::{Repository, Scope};

use crate::answers::failure::{Exit, Failure};
use crate::answers::report;
use crate::cli::{CheckArgs, StatusArgs};
use crate::commands::check;
use crate::commands::status::answer::StatusAnswer;
use crate::places;
use crate::settings::Settings;

/// What the whole answer may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Shows each chosen database's last good backup, what is wrong, and what to run next.
///
/// # Errors
/// Exit 2 when nothing is set; exit 1 when the place cannot be asked within [`LIMIT`]: unknown is never healthy.
pub(crate) async fn run(args: &StatusArgs, settings: &Settings) -> Result<Exit, Failure> {
    if settings.are_none() && args.place.repository.is_none() && !has_usual_directory(settings) {
        return without_settings(settings);
    }
    let repository = places::repository(&args.place, settings).await?;
    let looked = tokio::time::timeout(LIMIT, look(&repository, args, settings)).await;
    let answer = looked.unwrap_or_else(|_| Err(no_answer(&repository)))?;
    settings.report.answer(&answer, &answer)?;
    Ok(if answer.is_healthy() { Exit::Done } else { Exit::Unhealthy })
}

async fn look(repository: &Repository, args: &StatusArgs, settings: &Settings) -> Result<StatusAnswer, Failure> {
    places::there(repository).await.map_err(|failure| Failure { exit: Exit::Failed, ..failure })?;
    let asked = CheckArgs { place: args.place.clone(), ..CheckArgs::default() };
    let checked = check::ask(repository, &asked, settings, false).await?.or_nothing()?;
    let others = others(repository, &checked).await;
    Ok(StatusAnswer::new(checked, others, settings))
}

/// Databases that were not chosen and have backups in the same place. Not to know them fails nothing.
async fn others(repository: &Repository, checked: &check::CheckAnswer) -> Vec<String> {
    let scope = if repository.is_bucket() { Scope::Databases } else { Scope::All };
    let objects = repository.objects(scope).await.inspect_err(|error| tracing::debug!("cannot list: {error}"));
    let found = catalog::catalogs(repository.layout(), objects.unwrap_or_default());
    let is_chosen = |name: &String| checked.databases.iter().any(|health| health.database == *name);
    found.into_iter().map(|catalog| catalog.database).filter(|name| !is_chosen(name)).collect()
}

/// Backups may have been made there without any setting. The package makes the folder too: until then it is empty, and closed to others.
fn has_usual_directory(settings: &Settings) -> bool {
    let is_used = |folder: &std::path::PathBuf| std::fs::read_dir(folder).is_ok_and(|mut rows| rows.next().is_some());
    settings.directory.as_ref().is_some_and(is_used)
}

fn without_settings(settings: &Settings) -> Result<Exit, Failure> {
    if settings.report.json {
        return Err(Failure::new(Exit::Usage, "nothing is set")
            .hint("run lastgood init, or set DATABASE_URL, and BACKUP_DIR or BACKUP_S3_BUCKET, in /etc/lastgood.env"));
    }
    report::print(begin::SCREEN)?;
    Ok(Exit::Usage)
}

fn no_answer(repository: &Repository) -> Failure {
    let error = format!("{} did not answer within {} seconds", repository.display_name(), LIMIT.as_secs());
    Failure::new(Exit::Failed, error).hint("lastgood check waits longer, and says what it waits for")
}
