//! From a stored archive to a backup: the manifest beside it, and the verdict where no function gives one.

use catalog::{BackupId, Manifest};
use jiff::Timestamp;
use repository::{PutOutcome, Repository, Stored};

use crate::backup::Purpose;
use crate::backup::carry::Carried;
use crate::backup::lanes::{Lane, Reached};
use crate::backup::outcome::{Kept, Outcome};
use crate::backup::source::Source;
use crate::failure::{Exit, Failure};
use crate::settings::{Settings, Verify};
use crate::verify;

/// What was dumped, and all that the manifest says of it.
pub(crate) struct Published<'a> {
    pub(crate) source: &'a Source,
    pub(crate) purpose: Purpose,
    pub(crate) stem: catalog::Stem,
    pub(crate) started: Timestamp,
    pub(crate) carried: Carried,
    pub(crate) settings: &'a Settings,
}

impl Published<'_> {
    /// Finishes every repository by itself.
    ///
    /// # Errors
    /// The first failure, when no repository has the backup.
    pub(crate) async fn publish(self, lanes: Vec<Lane>) -> Result<Outcome, Failure> {
        let mut kept = Vec::new();
        let mut failures = Vec::new();
        for Lane { repository, id, progress } in lanes {
            let finished = match progress {
                Ok(Reached::Stored(stored)) => self.finish(&repository, &id, stored).await,
                Ok(Reached::Uploading(_)) => Err(Failure::new(Exit::Failed, "the upload was never completed")),
                Err(failure) => Err(failure),
            };
            match finished {
                Ok(one) => kept.push(one),
                Err(failure) => failures.push((repository.display_name(), failure)),
            }
        }
        match (kept.is_empty(), failures.first()) {
            (true, Some((_, failure))) => Err(failure.clone()),
            _ => Ok(Outcome::new(&self, kept, failures)),
        }
    }

    /// Manifest, database entry, verdict.
    async fn finish(&self, repository: &Repository, id: &BackupId, stored: Stored) -> Result<Kept, Failure> {
        let finished = Timestamp::now();
        let manifest = self.manifest(&stored, finished);
        put_new(repository, &repository.layout().manifest(id), manifest.to_json()).await?;
        self.expect(repository).await;
        let verdict = self.judge(repository, id, &manifest).await?;
        Ok(Kept { repository: repository.display_name(), id: id.clone(), stored, verdict })
    }
}
