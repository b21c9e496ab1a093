//! `lastgood show`: everything that is known about one backup, and how to restore it with Lastgood and without.

mod answer;
mod by_hand;
mod drilled;

use catalog::Entry;
use catalog::drill::DrillStatus;
use catalog::glacier::Cold;
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::cli::ShowArgs;
use crate::commands::show::answer::{Judged, Known, ShowAnswer};
use crate::places;
use crate::settings::Settings;

/// Shows one backup.
///
/// # Errors
/// Exit 5 when there is no such backup; otherwise when its records cannot be read.
pub(crate) async fn run(args: &ShowArgs, settings: &Settings) -> Result<Exit, Failure> {
    let repository = places::repository(&args.place, settings).await?;
    let entry = places::find(&repository, settings, &args.id).await?;
    let manifest = readable(places::manifest(&repository, &entry).await)?.flatten();
    let verdicts = verdicts(&repository, &entry).await?;
    let drill = match &entry.drill {
        Some(object) => readable(repository.drill(object).await)?,
        None => None,
    };
    let last_drill = last_drill(&repository, &entry).await;
    let by_hand = by_hand::recipe(&repository, &entry, manifest.as_ref());
    let globals = by_hand::globals(&repository, manifest.as_ref());
    let cold = cold(&repository, &entry).await;
    let known = Known { manifest, verdicts, drill, last_drill, cold, by_hand, globals };
    let answer = ShowAnswer::new(&repository, &entry, known, Timestamp::now());
    settings.report.answer(&answer, &answer)?;
    Ok(Exit::Done)
}

/// A record, unless it is broken: that is said, and the rest is shown.
fn readable<T>(record: Result<T, Error>) -> Result<Option<T>, Failure> {
    match record {
        Ok(record) => Ok(Some(record)),
        Err(error @ Error::Document { .. }) => {
            tracing::warn!("{error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where its archive lies, if that is Glacier. Who may not look is told what the listing says.
async fn cold(repository: &Repository, entry: &Entry) -> Option<Cold> {
    repository.head_of(entry.archive.as_ref()?).await.ok().flatten()?.cold
}

/// The last drill of its database. What can't be read leaves only that unsaid.
async fn last_drill(repository: &Repository, entry: &Entry) -> Option<DrillStatus> {
    let read = repository.drill_status(&entry.id.stem.database()).await;
    read.inspect_err(|error| tracing::warn!("nothing is said of its database's last drill: {error}")).ok().flatten()
}

/// The backup's verdicts, oldest first, and which of them counts.
async fn verdicts(repository: &Repository, entry: &Entry) -> Result<Vec<Judged>, Failure> {
    let mut verdicts = Vec::new();
    for object in [&entry.intact, &entry.damaged].into_iter().flatten() {
        let Some(verdict) = readable(repository.verdict(object).await)? else { continue };
        let counts = match &entry.archive {
            Some(archive) => entry.judged() == Some(verdict.outcome) && verdict.is_about(archive),
            None => !verdict.is_intact(),
        };
        verdicts.push(Judged { counts, verdict });
    }
    verdicts.sort_by_key(|judged| judged.verdict.verified);
    Ok(verdicts)
}
