//! The dump, into all repositories at once.

use archive::FrameSettings;
use repository::{Repository, UploadMetadata};

use crate::answers::failure::{Exit, Failure};
use crate::answers::progress::Progress;
use crate::commands::backup::carry::{Carried, CarryError, Road};
use crate::commands::backup::guess::guess;
use crate::commands::backup::lanes::{self, Lanes};
use crate::commands::backup::outcome::BackupOutcome;
use crate::commands::backup::publish::Published;
use crate::commands::backup::run::Run;

/// How often a dump is taken when the store answers its completion with a conflict (409).
const TRIES: usize = 2;

impl Run<'_> {
    /// Dumps into every repository, and finishes the backup in each that takes it whole.
    ///
    /// # Errors
    /// When no repository took it, or the dump itself failed. Nothing is visible then.
    pub(super) async fn dump(&self) -> Result<BackupOutcome, Failure> {
        let partial = self.source.partial();
        partial.iter().for_each(|partial| tracing::warn!("{partial}"));
        for left in (0..TRIES).rev() {
            let (mut carried, lanes) = self.carry_into(self.open_lanes().await?).await?;
            carried.warnings.extend(partial.clone());
            // Before anything is visible: a run that is told to stop here leaves nothing.
            carried.globals = match self.read_globals().await {
                Ok(globals) => globals,
                Err(failure) => {
                    lanes.abort().await;
                    return Err(failure);
                }
            };
            match self.publish(&carried, lanes.end(), left > 0).await? {
                Published::Done(outcome) => return Ok(*outcome),
                Published::Again => tracing::warn!("another upload got in the way (409); dumping again"),
            }
        }
        Err(Failure::new(Exit::Failed, "the dump was never completed"))
    }

    async fn open_lanes(&self) -> Result<Lanes, Failure> {
        let started = self.started.at;
        let places =
            self.repositories.iter().map(|r| (r.clone(), r.layout().place(self.stem.clone(), started))).collect();
        let metadata = UploadMetadata {
            lastgood_id: format!("{:032x}", rand::random::<u128>()),
            database: self.source.server.database.clone(),
            backup_date: started,
            // The database on disk is usually larger than its compressed dump; where it is not, parts grow.
            expected_size: self.source.server.size,
        };
        let encrypted = !self.settings.recipients.is_empty();
        let key = |repository: &Repository, id: &catalog::BackupId| {
            repository.layout().archive(id, self.settings.compression, encrypted)
        };
        Lanes::open(places, self.interrupt.clone(), &metadata, key, self.settings.slow_place_wait).await
    }

    /// Runs the road on a thread that may block.
    async fn carry_into(&self, mut lanes: Lanes) -> Result<(Carried, Lanes), Failure> {
        let expected = guess(self).await;
        let dump = match self.source.dump() {
            Ok(dump) => dump,
            Err(failure) => {
                lanes.abort().await;
                return Err(failure);
            }
        };
        let road = self.road(expected);
        let carrying = tokio::task::spawn_blocking(move || (road.carry(dump, &mut lanes), lanes));
        let (carried, lanes) =
            carrying.await.map_err(|e| Failure::new(Exit::Failed, format!("the backup's own thread failed: {e}")))?;
        match carried {
            Ok(carried) => Ok((carried, lanes)),
            Err(error) => {
                lanes.abort().await;
                Err(self.explain(error))
            }
        }
    }

    fn road(&self, expected: Option<u64>) -> Road {
        let database = self.source.server.database.clone();
        Road {
            frames: FrameSettings {
                compression: self.settings.compression,
                level: self.settings.compression_level,
                threads: std::thread::available_parallelism().map_or(1, usize::from),
            },
            recipients: self.settings.recipients.clone(),
            progress: Progress::about(self.settings.report, &database, expected),
            onlooker: None,
            database,
            indexes: self.wants_index(),
            link_size: self.link_size(),
        }
    }

    /// Explains whether pg_dump, the server, the network or the user ended the dump.
    fn explain(&self, error: CarryError) -> Failure {
        let database = &self.source.server.database;
        match (self.interrupt.seen(), error) {
            (Some(signal), _) => lanes::stopped_by(signal),
            (None, CarryError::Stored(failure)) => failure,
            (None, CarryError::Dump(error)) => self.source.explain(&error),
            (None, error @ CarryError::OtherDatabase { .. }) => Failure::new(
                Exit::Usage,
                format!("backup of {database}: {error}"),
            )
            .hint("remove words that are not options from BACKUP_PG_DUMP_OPTIONS; choose the database with --database"),
            (None, error) => Failure::new(Exit::Failed, format!("backup of {database}: {error}"))
                .hint("run the backup again; nothing of this run was kept"),
        }
    }
}
