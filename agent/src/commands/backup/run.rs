//! One database's backup, and all that its steps share.

use std::time::{Duration, Instant};

use catalog::Stem;
use catalog::manifest::Purpose;
use jiff::Timestamp;
use repository::Repository;

use crate::answers::failure::Failure;
use crate::commands::backup::doors::Doors;
use crate::commands::backup::mark::{Mark, Unmarked};
use crate::commands::backup::name;
use crate::commands::backup::source::{Asked, Source};
use crate::interrupt::Interrupt;
use crate::lock::Lock;
use crate::places::Spot;
use crate::read_back::Reader;
use crate::settings::{DatabaseSettings, Settings};

/// A backup that has begun: its database answers, its lock is held, and its name is free.
pub(super) struct Run<'a> {
    pub(super) settings: &'a Settings,
    pub(super) database: &'a DatabaseSettings,
    pub(super) source: Source,
    /// Those that could be opened; the directory first, where there is one.
    pub(super) repositories: Vec<Repository>,
    /// Which places these are, in the same order.
    pub(super) spots: Vec<Spot>,
    /// Those that could not, which was known before the dump.
    pub(super) closed: Vec<(Spot, Failure)>,
    /// The mark that is still to be put in some of them.
    pub(super) unmarked: Option<Unmarked>,
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
    /// When the database cannot be asked, its lock is held, no repository can be opened, or the name is taken.
    pub(super) async fn begin(
        settings: &'a Settings,
        database: &'a DatabaseSettings,
        purpose: Purpose,
        interrupt: &'a Interrupt,
        held: Option<Lock>,
    ) -> Result<Self, Failure> {
        let reader = Reader::new(settings)?;
        reader.refuse_foreign(&settings.recipients)?;
        let asked = Asked::of(settings, database, interrupt.stop(), settings.retry_budget())?;
        let mut doors = Doors::find(settings).await?;
        let started = Moment::now();
        let mark = Mark { database: asked.server.database.clone(), since: started.at, limits: database.limits };
        let unmarked = match purpose {
            Purpose::Backup => mark.put(&doors.repositories).await,
            // A restore's target may be a database that is never backed up otherwise.
            Purpose::Safety | Purpose::Adopted | Purpose::Erased => None,
        };
        let source = asked.source(database, purpose)?;
        let lock = match held {
            Some(lock) => lock,
            None => Lock::take(&settings.lock_directory, &catalog::encode_database(&source.server.database))?,
        };
        let tag = name::tag(settings, purpose, started.at);
        doors.try_all(name::any(&source.server.database, &tag)?, started.at).await?;
        let Doors { repositories, spots, closed } = doors;
        let stem = name::free(&repositories, &source.server.database, tag, started.at).await?;
        Ok(Self {
            settings,
            database,
            source,
            repositories,
            spots,
            closed,
            unmarked,
            purpose,
            stem,
            started,
            reader,
            interrupt,
            _lock: lock,
        })
    }
}
