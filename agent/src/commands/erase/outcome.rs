//! What becomes of one backup.

use std::collections::BTreeSet;

use catalog::erasure::{Erased, ErasedTable, Fate, Lock, Obstacle, Row, number};
use catalog::{BackupId, Entry, Manifest, Stem};
use jiff::Timestamp;

use crate::answers::failure::{Exit, Failure};
use crate::cli::RestoreArgs;
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
use crate::places;
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
    /// An earlier run of this very request has made it, of another one that is gone.
    Before(Box<Before>),
    /// It has no such rows.
    Clean { has_table: bool },
    /// A remainder of an upload is gone.
    Cleared,
    /// It stays as it is.
    Left(Obstacle),
    /// It stays, because the run ended before it was its turn: why.
    NotBegun(String),
    /// This is to take its place, and a lock keeps it there.
    Locked(Box<Replaced>, Option<Lock>),
}

/// What took a backup's place.
pub(super) struct Replaced {
    pub(super) by: BackupId,
    pub(super) tables: Vec<ErasedTable>,
    pub(super) md5_after: String,
}

/// What an earlier run has made of another backup.
pub(super) struct Before {
    pub(super) of: BackupId,
    pub(super) made: Timestamp,
    pub(super) md5: String,
    pub(super) replaced: Replaced,
}

/// What a trial found.
pub(super) enum Trial {
    Found(Vec<ErasedTable>),
    NoRows,
    NoTable,
}

impl<'a> One<'a> {
    /// Does what the plan says. `cleared`: what was there when the plan was made, and is gone.
    ///
    /// # Errors
    /// The original stays then.
    pub(super) async fn carry_out(self, row: &Row<'_>, cleared: &BTreeSet<BackupId>) -> Result<Done, Failure> {
        let repository = &self.ground.repository;
        match &row.fate {
            Fate::Leave(Obstacle::OnlyRecords) if remove::index(repository, row.entry).await? => Ok(Done::Cleared),
            Fate::Leave(obstacle) => Ok(Done::Left(obstacle.clone())),
            Fate::Clear => match remove::remainder(repository, row.entry).await? {
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
            Fate::Erase => self.erase(row.entry, cleared).await,
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

    /// Whether an earlier run of this very request has made it.
    pub(super) fn is_made_by_it(self, entry: &Entry) -> Option<&'a Manifest> {
        let manifest = self.ground.manifest(entry)?;
        let erased = manifest.erased.as_ref()?;
        (erased.request == self.request.asked.request).then_some(manifest)
    }

    async fn erase(self, entry: &Entry, cleared: &BTreeSet<BackupId>) -> Result<Done, Failure> {
        let manifest = self.ground.manifest(entry).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("{} has no manifest any more", entry.id)).hint("erase again")
        })?;
        if let Some(made) = self.is_made_by_it(entry) {
            return Ok(self.made_before(entry, made));
        }
        let Some(shelf) = self.shelf(entry, manifest, cleared)? else { return Ok(Done::Left(Obstacle::Nameless)) };
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

    /// What an earlier run has done, as the manifest tells. Where the original is still there, that one's own row says what becomes of it.
    fn made_before(self, entry: &Entry, manifest: &Manifest) -> Done {
        let Some(erased) = &manifest.erased else { return Done::Clean { has_table: true } };
        if self.ground.catalog.entries.iter().any(|other| other.id.stem == erased.of) {
            return Done::Clean { has_table: true };
        }
        Done::Before(Box::new(Before {
            of: BackupId { day: entry.id.day, stem: erased.of.clone() },
            made: erased.made,
            md5: erased.md5.to_string(),
            replaced: Replaced::by(&entry.id, manifest),
        }))
    }

    /// Waits until what stands for it is good, and removes it.
    async fn replace(self, entry: &Entry, by: &BackupId, manifest: &Manifest) -> Result<Done, Failure> {
        let repository = &self.ground.repository;
        tracing::info!("waiting for the verdict on {by}");
        verdict::wait(repository, (by, manifest), self.settings, self.interrupt).await?;
        let replaced = Box::new(Replaced::by(by, manifest));
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
        let which = places::which(&ground.repository, settings);
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
            (Err(failure), None) if failure.exit == Exit::Damaged => {
                let failure = suspect.read_again(failure, settings).await;
                let remedy = (failure.exit == Exit::Damaged).then(|| Obstacle::Damaged.remedy(&entry.name()));
                Err(Failure { hint: remedy.or(failure.hint), ..failure })
            }
            (worked, _) => worked,
        }
    }

    /// The place beside it; none where no name is left.
    fn shelf(self, entry: &Entry, manifest: &Manifest, cleared: &BTreeSet<BackupId>) -> Result<Option<Shelf>, Failure> {
        let Self { ground, request, settings, interrupt } = self;
        // What a run that broke off has left under such a name is gone: the name is free.
        let entries = || ground.catalog.entries.iter().filter(|other| !cleared.contains(&other.id));
        let Some(number) = number(entry, entries()) else { return Ok(None) };
        let made = manifest.erased.as_ref().map_or(entry.instant, |erased| erased.made.min(entry.instant));
        let named = (number..).map_while(|number| entry.id.stem.as_erased(number, entry.instant).ok());
        let is_free = |stem: &Stem| !entries().any(|other| other.id.stem == *stem);
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
            shrunk: entry.shrunk.clone().filter(|_| entry.shrunk_since().is_some()),
            erased,
            database: ground.database(settings),
            settings: settings.clone(),
            interrupt: interrupt.clone(),
        }))
    }
}

impl Replaced {
    fn by(by: &BackupId, manifest: &Manifest) -> Self {
        Self {
            by: by.clone(),
            tables: manifest.erased.as_ref().map(|erased| erased.tables.clone()).unwrap_or_default(),
            md5_after: manifest.archive.digest.md5.to_string(),
        }
    }
}
