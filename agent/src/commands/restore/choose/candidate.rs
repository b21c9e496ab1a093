//! A backup that was found, on its way to being the one that is restored.

use catalog::manifest::Manifest;
use catalog::verdict::{Outcome, Verdict};
use catalog::{Entry, Object, State};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::backup::{Assurance, Backup, StoredBytes};

/// A backup somewhere in a repository.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) repository: Repository,
    pub(super) entry: Entry,
    /// The last good one beside it, for hints.
    pub(super) newest_good: Option<String>,
}

impl Candidate {
    /// Refuses what must not be restored, and reads the manifest.
    ///
    /// # Errors
    /// Exit 4 when it is damaged, exit 5 when its archive is gone.
    pub(super) async fn chosen(self) -> Result<(Backup, StoredBytes), Failure> {
        let Self { repository, entry, newest_good } = self;
        let name = entry.name();
        let Some(archive) = entry.archive.clone().filter(|_| entry.state != State::Missing) else {
            let error = format!("the archive of {name} is gone from {}", repository.display_name());
            return Err(Failure::new(Exit::NotFound, error).hint(last_good(newest_good)));
        };
        let verdict = verdict(&repository, &entry, &archive).await?;
        if let Some(verdict) = verdict.as_ref().filter(|verdict| !verdict.is_intact()) {
            let how = verdict.findings.first().map_or("it was read back and is not whole", |finding| &finding.text);
            let error = format!("{name} in {} is damaged: {how}", repository.display_name());
            return Err(Failure::new(Exit::Damaged, error).hint(last_good(newest_good.filter(|good| *good != name))));
        }
        let place = repository.object_name(&archive.key);
        if !archive.readable {
            return Err(repository::Error::Archived { object: place }.into());
        }
        let manifest = match &entry.manifest {
            None => None,
            Some(object) => Some(
                Manifest::from_json(&repository.read_record(object).await?)
                    .map_err(|e| Failure::new(Exit::Failed, format!("cannot read the manifest of {name}: {e}")))?,
            ),
        };
        let assurance = match (entry.state, &verdict) {
            (_, Some(_)) => Assurance::Good,
            (State::Guest | State::Alone, None) => Assurance::Guest,
            _ => Assurance::Unverified,
        };
        let object = pinned(archive, manifest.as_ref(), verdict.as_ref());
        let (size, instant) = (object.size, entry.instant);
        let backup = Backup { name, place, size, instant, assurance, manifest };
        Ok((backup, StoredBytes::Object(repository, object)))
    }
}

/// The verdict that counts, if there is one on the archive's present bytes. Files that were copied may have lost the order of
/// their times: a damaged verdict that says itself that it is the later one counts as well.
async fn verdict(repository: &Repository, entry: &Entry, archive: &Object) -> Result<Option<Verdict>, Failure> {
    let damaged = async || verdict_in(repository, entry.damaged.as_ref(), archive).await;
    match entry.judged() {
        None => Ok(None),
        Some(Outcome::Damaged) => damaged().await,
        Some(Outcome::Intact) => {
            let intact = verdict_in(repository, entry.intact.as_ref(), archive).await?;
            let said = intact.as_ref().map(|intact| intact.verified);
            let later = damaged().await?.filter(|damaged| said.is_none_or(|intact| damaged.verified >= intact));
            Ok(later.or(intact))
        }
    }
}

async fn verdict_in(
    repository: &Repository,
    record: Option<&Object>,
    archive: &Object,
) -> Result<Option<Verdict>, Failure> {
    let Some(record) = record else { return Ok(None) };
    let verdict = Verdict::from_json(&repository.read_record(record).await?).map_err(|e| {
        Failure::new(Exit::Failed, format!("cannot read the verdict {}: {e}", repository.object_name(&record.key)))
    })?;
    Ok(Some(verdict).filter(|verdict| verdict.is_about(archive)))
}

/// The version that verdict or manifest are about, where its bytes are still those that were listed.
fn pinned(mut archive: Object, manifest: Option<&Manifest>, verdict: Option<&Verdict>) -> Object {
    let judged = verdict.map(|verdict| (verdict.identity.etag.as_deref(), &verdict.identity.version_id));
    let promised = manifest.map(|manifest| (manifest.archive.etag.as_deref(), &manifest.archive.version_id));
    let of_these = |(etag, _): &(Option<&str>, &Option<String>)| *etag == archive.bare_etag();
    if archive.version_id.is_none()
        && let Some((_, version)) = judged.or(promised).filter(of_these)
    {
        archive.version_id.clone_from(version);
    }
    archive
}

fn last_good(newest_good: Option<String>) -> String {
    match newest_good {
        Some(name) => format!("the last good backup is {name}: lastgood restore {name}"),
        None => "lastgood list shows what there is".to_owned(),
    }
}
