//! What becomes of one backup.

use catalog::erasure::{Erased, ErasedTable, Fate, Lock, Obstacle, Row, number};
use catalog::{BackupId, Entry, Manifest, Stem};
use jiff::Timestamp;
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::cli::{RestoreArgs, Which};
use crate::commands::erase::asked::Request;
use crate::commands::erase::facts::Ground;
use crate::commands::erase::remove::{self, Removed};
use crate::commands::erase::store::{Shelf, Stocked};
use crate::commands::erase::verdict;
use crate::commands::erase::work::{Work, Worked};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::StoredBytes;
use crate::commands::restore::choose;
use crate::commands::restore::damage::Suspect;
use crate::interrupt::{Interrupt, stopped_by};
use crate::settings::Settings;

/// How many names are tried.
const MOST: usize = 99;

/// One backup's turn.
#[derive(Clone, Copy)]
pub(super) struct One<'a> {
    pub(super) ground: &'a Ground,
    pub(super) request: &'a Request,
    pub(super) settings: &'a Settings,
    pub(super) interrupt: &'a Interrupt,
}

/// What became of it.
pub(super) enum Done {
    /// It is gone, and this has its place.
    Erased(Box<Replaced>),
    /// It has no such rows, or was made by this very request.
    Clean { has_table: bool },
    /// A remainder of an upload is gone.
    Cleared,
    /// It stays as it is.
    Left(Obstacle),
    /// This is to take its place, and a lock keeps it there.
    Locked(Box<Replaced>, Option<Lock>),
}

/// What took a backup's place.
pub(super) struct Replaced {
    pub(super) by: BackupId,
    pub(super) tables: Vec<ErasedTable>,
    pub(super) md5_after: String,
}

/// What a trial found.
pub(super) enum Trial {
    Found(Vec<ErasedTable>),
    NoRows,
    NoTable,
}

impl One<'_> {
    /// Does what the plan says.
    ///
    /// # Errors
    /// The original stays then.
    pub(super) async fn carry_out(self, row: &Row<'_>) -> Result<Done, Failure> {
        let repository = &self.ground.repository;
        match &row.fate {
            Fate::Leave(obstacle) => Ok(Done::Left(obstacle.clone())),
            Fate::Clear => match remove::everything(repository, row.entry).await? {
                Removed::Gone => Ok(Done::Cleared),
                Removed::Locked(lock) => Ok(Done::Left(lock.map_or(Obstacle::Unfinished, Obstacle::Locked))),
            },
            Fate::Finish { by } => {
                let stand_in = self.ground.catalog.entries.iter().find(|entry| entry.id == *by);
                let manifest = stand_in.and_then(|entry| self.ground.manifest(entry));
                let manifest = manifest.ok_or_else(|| {
                    Failure::new(Exit::Failed, format!("{by} has no manifest any more")).hint("erase again")
                })?;
                tracing::info!("{by} was made of {} by an earlier run", row.entry.id);
                self.replace(row.entry, by, manifest).await
            }
            Fate::Erase => self.erase(row.entry).await,
        }
    }

    /// How many rows would leave this one.
    ///
    /// # Errors
    /// When it can't be restored, or the server refuses the SQL.
    pub(super) async fn try_out(self, entry: &Entry) -> Result<Trial, Failure> {
        Ok(match self.work(entry, None).await? {
            Worked::Counted(tables) => Trial::Found(tables),
            Worked::Stored(_) | Worked::Clean => Trial::NoRows,
            Worked::NoTable => Trial::NoTable,
        })
    }

    async fn erase(self, entry: &Entry) -> Result<Done, Failure> {
        let manifest = self.ground.manifest(entry).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("{} has no manifest any more", entry.id)).hint("erase again")
        })?;
        if manifest.erased.as_ref().is_some_and(|erased| erased.request == self.request.asked.request) {
            return Ok(Done::Clean { has_table: true });
        }
        let Some(shelf) = self.shelf(entry, manifest)? else { return Ok(Done::Left(Obstacle::Nameless)) };
        tracing::info!("erasing from {}", entry.id);
        match self.work(entry, Some(shelf)).await? {
            Worked::Clean | Worked::Counted(_) => Ok(Done::Clean { has_table: true }),
            Worked::NoTable => Ok(Done::Clean { has_table: false }),
            Worked::Stored(stocked) => {
                let Stocked { id, manifest } = *stocked;
                self.replace(entry, &id, &manifest).await
            }
        }
    }

    /// Waits until what stands for it is good, and removes it.
    async fn replace(self, entry: &Entry, by: &BackupId, manifest: &Manifest) -> Result<Done, Failure> {
        let repository = &self.ground.repository;
        tracing::info!("waiting for the verdict on {by}");
        verdict::wait(repository, (by, manifest), self.settings, self.interrupt).await?;
        let replaced = Box::new(Replaced {
            by: by.clone(),
            tables: manifest.erased.as_ref().map(|erased| erased.tables.clone()).unwrap_or_default(),
            md5_after: manifest.archive.digest.md5.to_string(),
        });
        match remove::original(repository, entry, by).await? {
            Removed::Gone => {
                tracing::info!("{} is gone; {by} has its place", entry.id);
                Ok(Done::Erased(replaced))
            }
            Removed::Locked(lock) => Ok(Done::Locked(replaced, lock)),
        }
    }

    /// Restores and changes it, on a thread that may block.
    async fn work(self, entry: &Entry, shelf: Option<Shelf>) -> Result<Worked, Failure> {
        let Self { ground, request, settings, interrupt } = self;
        let which = match ground.repository {
            Repository::Bucket(_) => Which::Bucket,
            Repository::Directory(_) => Which::Directory,
        };
        let args = RestoreArgs { id: Some(entry.id.to_string()), repository: Some(which), ..RestoreArgs::default() };
        let choosing = choose::choose(&args, settings, &ground.catalog.database, Timestamp::now());
        let (backup, stored) = interrupt.or(choosing).await?;
        let stored = match stored {
            // Whether it was brought back from Glacier has been asked.
            StoredBytes::Object(repository, object) => {
                StoredBytes::Object(repository, catalog::Object { readable: true, ..object })
            }
            other => other,
        };
        let suspect = Suspect::new(&backup, &stored, interrupt);
        let work = Work {
            archive: Archive::new(&backup, stored, settings, interrupt)?,
            settings: settings.clone(),
            database: ground.database(settings),
            interrupt: interrupt.clone(),
            request: request.clone(),
            backup,
        };
        let working = tokio::task::spawn_blocking(move || work.carry_out(shelf));
        let worked =
            working.await.map_err(|e| Failure::new(Exit::Failed, format!("the erasure's own thread failed: {e}")))?;
        match (worked, interrupt.seen()) {
            (Err(_), Some(signal)) => Err(stopped_by(signal)),
            (Err(failure), None) if failure.exit == Exit::Damaged => Err(suspect.read_again(failure, settings).await),
            (worked, _) => worked,
        }
    }

    /// The place beside it; none where no name is left.
    fn shelf(self, entry: &Entry, manifest: &Manifest) -> Result<Option<Shelf>, Failure> {
        let Self { ground, request, settings, interrupt } = self;
        let entries = &ground.catalog.entries;
        let Some(number) = number(entry, entries) else { return Ok(None) };
        let made = manifest.erased.as_ref().map_or(entry.instant, |erased| erased.made.min(entry.instant));
        let named = (number..).map_while(|number| entry.id.stem.as_erased(number, entry.instant).ok());
        let is_free = |stem: &Stem| !entries.iter().any(|other| other.id.stem == *stem);
        let Some(stem) = named.take(MOST).find(is_free) else { return Ok(None) };
        let placed = ground.repository.layout().place(stem.clone(), made);
        let id = BackupId { day: entry.id.day.or(placed.day), stem };
        let digest = &manifest.archive.digest;
        let erased = Erased {
            of: entry.id.stem.clone(),
            made,
            size: digest.size,
            md5: digest.md5,
            request: request.asked.request,
            tables: Vec::new(),
        };
        Ok(Some(Shelf {
            repository: ground.repository.clone(),
            id,
            manifest: manifest.clone(),
            globals: entry.globals.clone(),
            erased,
            settings: settings.clone(),
            interrupt: interrupt.clone(),
        }))
    }
}

/// After a removal that was refused nothing else is begun: each would leave two backups where one was.
pub(super) fn not_tried() -> Failure {
    Failure::new(Exit::Failed, "not tried, because an earlier original could not be removed")
        .hint("see the first error; then erase again")
}
