//! What takes a backup's place has to be good before the original goes: by the verify function's verdict, or, where there is no stack,
//! by reading it back here.

use std::time::{Duration, Instant};

use catalog::verdict::Outcome;
use catalog::{BackupId, Entry, Manifest, State};
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::interrupt::{Interrupt, stopped_by};
use crate::read_back::{self, Reader};
use crate::settings::{Settings, Verify};

/// The first pause between two looks. Each is longer than the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How long a verdict may take at least.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Bytes that a function reads in a second, at the least.
const SLOWEST: u64 = 8 << 20;

/// Waits until it is judged.
///
/// # Errors
/// Exit 4 when it is damaged; exit 1 when no verdict came.
pub(super) async fn wait(
    repository: &Repository,
    (id, manifest): (&BackupId, &Manifest),
    settings: &Settings,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let is_known = found(repository, id).await?.is_some_and(|entry| entry.state == State::Good);
    if !is_known && is_judged_here(repository, settings).await? {
        return interrupt.or(judge(repository, (id, manifest), settings)).await;
    }
    let until = Instant::now() + PATIENCE + Duration::from_secs(manifest.archive.digest.size / SLOWEST);
    let mut pause = FIRST_PAUSE;
    loop {
        match found(repository, id).await?.map(|entry| (entry.judged(), entry)) {
            Some((Some(Outcome::Intact), entry)) => return is_about_it(repository, &entry).await,
            Some((Some(Outcome::Damaged), _)) => return Err(damaged(id)),
            _ if Instant::now() >= until => return Err(late(id)),
            _ => {}
        }
        let mut told = interrupt.clone();
        tokio::select! {
            signal = told.wait() => return Err(stopped_by(signal)),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn found(repository: &Repository, id: &BackupId) -> Result<Option<Entry>, Failure> {
    Ok(repository.entry(id).await?)
}

/// Where no function does.
async fn is_judged_here(repository: &Repository, settings: &Settings) -> Result<bool, Failure> {
    Ok(match (repository, settings.verify) {
        (Repository::Directory(_), _) | (_, Verify::ReadBack) => true,
        (Repository::Bucket(_), _) => repository.health().await?.is_none(),
    })
}

async fn judge(
    repository: &Repository,
    (id, manifest): (&BackupId, &Manifest),
    settings: &Settings,
) -> Result<(), Failure> {
    let Some(head) = read_back::head_twice(repository, &manifest.archive.key).await? else { return Err(damaged(id)) };
    let verdict = Reader::new(settings)?.read_back(repository, &head.object, Some(manifest)).await?.verdict;
    read_back::record(repository, id, &verdict).await?;
    if verdict.is_intact() { Ok(()) } else { Err(damaged(id)) }
}

/// The listing's times may lie; the verdict names its bytes.
async fn is_about_it(repository: &Repository, entry: &Entry) -> Result<(), Failure> {
    let (Some(record), Some(archive)) = (&entry.intact, &entry.archive) else { return Err(late(&entry.id)) };
    let verdict = repository.verdict(record).await?;
    if verdict.is_intact() && verdict.is_about(archive) { Ok(()) } else { Err(late(&entry.id)) }
}

fn damaged(id: &BackupId) -> Failure {
    Failure::new(Exit::Damaged, format!("{id} was stored and is damaged; the original stays"))
        .hint("erase again: another one is made")
}

fn late(id: &BackupId) -> Failure {
    Failure::new(Exit::Failed, format!("no verdict on {id} has come; the original stays until it is found intact"))
        .hint(
            "erase again when lastgood list shows it as good; where no AWS stack verifies, set BACKUP_VERIFY=read-back",
        )
}
