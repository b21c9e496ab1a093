//! One database's backup, and all that its steps share.

use std::time::{Duration, Instant};

use catalog::Stem;
use catalog::manifest::Purpose;
use jiff::Timestamp;
use repository::Repository;

use crate::answers::failure::Failure;
use crate::commands::backup::name;
use crate::commands::backup::source::Source;
use crate::interrupt::Interrupt;
use crate::lock::Lock;
use crate::places;
use crate::read_back::Reader;
use crate::settings::{DatabaseSettings, Settings};

/// How many seconds a safety backup waits for one that no other has: the way back from a restore may begin in the same.
const PATIENCE: usize = 10;

/// A backup that has begun: its database answers, its lock is held, and its name is free.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    pub(super) database: &'a DatabaseSettings,
    pub(super) source: Source,
    /// The directory first, where there is one.
    pub(super) repositories: Vec<Repository>,
    pub(super) purpose: Purpose,
    pub(super) stem: Stem,
    pub(super) started: Moment,
    pub(super) reader: Reader,
    pub(super) interrupt: &'a Interrupt,
    _lock: Lock,
}

/// An instant by two clocks: one that tells the time of day, and one that is never set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    clock: Instant,
}

impl Moment {
    fn now() -> Self {
        Self { at: Timestamp::now(), clock: Instant::now() }
    }

    /// The time since then.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }
}

impl<'a> Run<'a> {
    /// Everything that can be refused before the dump begins.
    ///
    /// # Errors
    /// When the database cannot be asked, its lock is held, a repository cannot be connected to, or the name is taken.
    pub(super) async fn begin(
        settings: &'a Settings,
        database: &'a DatabaseSettings,
        purpose: Purpose,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Failure> {
        let reader = Reader::new(settings)?;
        reader.refuse_foreign(&settings.recipients)?;
        let source = Source::open(settings, database, purpose, interrupt.stop(), settings.retry_budget())?;
        let lock = Lock::take(&settings.lock_directory, &catalog::encode_database(&source.server.database))?;
        let repositories = places::repositories(None, settings).await?;
        let mut started = Moment::now();
        let mut stem = name::choose(settings, &source, purpose, started.at)?;
        name::refuse_taken(&repositories, &stem, started.at).await?;
        for _ in 0..PATIENCE {
            let waits = purpose == Purpose::Safety && interrupt.seen().is_none();
            if !waits || name::taken(&repositories, &stem, started.at).await.is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            started = Moment::now();
            stem = name::choose(settings, &source, purpose, started.at)?;
        }
        Ok(Self { settings, database, source, repositories, purpose, stem, started, reader, interrupt, _lock: lock })
    }
}
