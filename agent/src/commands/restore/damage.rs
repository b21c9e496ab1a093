//! Damage that a restore finds. Before it is believed, all bytes are read a second time: memory or a network may have spoilt the
//! first reading. Then it is recorded, so that nobody counts on that backup any more, and another one is offered.

use catalog::manifest::Manifest;
use catalog::verdict::Verdict;
use catalog::words::shell_word;
use catalog::{BackupId, Object, Part};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::failure::LIVE_IS_UNCHANGED;
use crate::interrupt::Interrupt;
use crate::read_back::{self, Reader};
use crate::settings::Settings;

/// A backup that is being restored, should it turn out to be damaged.
pub(crate) struct Suspect {
    name: String,
    other: Option<String>,
    manifest: Option<Manifest>,
    is_judged: bool,
    stored: StoredBytes,
    interrupt: Interrupt,
}

impl Suspect {
    pub(crate) fn new(backup: &Backup, stored: &StoredBytes, interrupt: &Interrupt) -> Self {
        Self {
            name: backup.name.clone(),
            other: backup.other.clone(),
            manifest: backup.manifest.clone(),
            is_judged: backup.is_judged,
            stored: stored.clone(),
            interrupt: interrupt.clone(),
        }
    }

    /// Reads everything again after `first` found damage: why the restore failed, and what to do now.
    pub(crate) async fn read_again(&self, first: Failure, settings: &Settings) -> Failure {
        let Some((repository, object)) = object(&self.stored).await else { return first };
        tracing::warn!("{}; reading all of it a second time", first.error);
        let mut interrupt = self.interrupt.clone();
        let reading = async {
            let reader = Reader::new(settings)?;
            let manifest = read_back::manifest_again(&repository, &object, self.manifest.as_ref()).await?;
            reader.read_once(&repository, &object, manifest.as_ref()).await
        };
        let read = tokio::select! {
            biased;
            _ = interrupt.wait() => return first,
            read = reading => read,
        };
        let verdict = match read {
            Ok(read) => read.verdict,
            Err(failure) => {
                let error = format!("{}; it could not be read a second time: {}", first.error, failure.error);
                return Failure { error, ..first };
            }
        };
        if verdict.is_intact() {
            return Failure::new(Exit::Failed, read_back::misread(&self.name)).hint(format!(
                "{LIVE_IS_UNCHANGED}; start the restore again, and test this machine's memory, disk and network"
            ));
        }
        // What has no records and is no archive at all has been named, with the way to restore it.
        if self.manifest.is_none() && verdict.is_no_archive() {
            return first;
        }
        let recorded = match &self.stored {
            StoredBytes::Object(..) => self.record(&verdict).await,
            StoredBytes::File(_) | StoredBytes::Folder(_) => "the damage was found twice".to_owned(),
        };
        let hint = match &self.other {
            Some(other) => format!("restore the last good one before: lastgood restore {other}"),
            None => "see which other backups there are: lastgood list".to_owned(),
        };
        Failure { hint: Some(format!("{hint}; {recorded}; {LIVE_IS_UNCHANGED}")), ..first }
    }

    /// Stores the verdict beside the backup, and says what came of that.
    async fn record(&self, verdict: &Verdict) -> String {
        let StoredBytes::Object(repository, object) = &self.stored else { return String::new() };
        let id: Option<BackupId> = match repository.layout().parse(&object.key) {
            Part::Archive { id, .. } if self.is_judged => Some(id),
            _ => None,
        };
        let verify = format!("lastgood verify {}", shell_word(&self.name));
        match id {
            None => format!("all that is wrong with it: {verify}"),
            Some(id) => match read_back::record(repository, &id, verdict).await {
                Ok(()) => "the damage was found twice and is recorded".to_owned(),
                Err(error) => {
                    let failure = Failure::from(error);
                    format!("it was found twice; record it, as an identity that may: {verify} ({})", failure.error)
                }
            },
        }
    }
}

/// The stored bytes as an object of a repository: a file by itself is one of its folder's. `None` for what can't be read twice, a
/// pipe.
async fn object(stored: &StoredBytes) -> Option<(Repository, Object)> {
    match stored {
        StoredBytes::Object(repository, object) => Some((repository.clone(), object.clone())),
        StoredBytes::Folder(_) => None,
        StoredBytes::File(path) => {
            let repository = Repository::directory(path.parent().filter(|_| path.is_file())?);
            let head = repository.head(path.file_name()?.to_str()?).await.ok()??;
            Some((repository, head.object))
        }
    }
}
