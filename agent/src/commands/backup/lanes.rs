//! The same bytes into every repository of a run. One that fails is left behind, and the others go on.
//!
//! Each lane has a short queue and a task of its own. A bucket that is slower than the local copy is served from that: it reads there
//! what it has missed, and holds nobody up. Without a local copy the others wait for it, but not for ever.

mod feed;
mod spool;
mod task;

use std::sync::Arc;
use std::time::{Duration, Instant};

use archive::Digest;
use bytes::Bytes;
use catalog::BackupId;
use repository::{Repository, Stored, Upload, UploadMetadata};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::answers::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use feed::{Feed, Offered};
use spool::Spool;
use task::Carrier;

/// How long a place may hold the others up in any case, where no setting says otherwise.
const LEAST_WAIT: Duration = Duration::from_secs(60);
/// How often it is looked at whether others could go on.
const SLICE: Duration = Duration::from_millis(200);

/// One repository of a run, and how far the run has come there.
pub(crate) struct Lane {
    pub(crate) repository: Repository,
    pub(crate) id: BackupId,
    feed: Arc<Feed>,
    /// The upload that it ends with, when all bytes are there.
    carrying: Result<JoinHandle<Result<Upload, Failure>>, Failure>,
    /// How long it has held up others that could have gone on.
    held: Duration,
}

/// Why an archive didn't become visible.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The store found another upload in the way (409): only a whole new one helps.
    Conflict(Failure),
    Failed(Failure),
}

/// Every repository of a run.
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    interrupt: Interrupt,
    /// Of the lane that is a directory, if there is one.
    spool: Option<Arc<Spool>>,
    began: Instant,
    /// How long a slow place is waited for in all; `None`: as long as the dump would have taken without it.
    wait: Option<Duration>,
}

impl Lanes {
    /// Starts an upload in each repository. One that refuses is a lane that has failed.
    ///
    /// # Errors
    /// The first refusal, when all refuse.
    pub(crate) async fn open(
        places: Vec<(Repository, BackupId)>,
        interrupt: Interrupt,
        metadata: &UploadMetadata,
        key: impl Fn(&Repository, &BackupId) -> String,
        wait: Option<Duration>,
    ) -> Result<Self, Failure> {
        let mut uploads = Vec::with_capacity(places.len());
        for (repository, id) in places {
            let upload = repository.start_upload(&key(&repository, &id), metadata).await.map_err(Failure::from);
            uploads.push((repository, id, upload));
        }
        let file = uploads.iter().find_map(|(_, _, upload)| upload.as_ref().ok()?.file());
        let spool = file.map(Spool::new).map(Arc::new).filter(|_| uploads.len() > 1);
        let lanes =
            uploads.into_iter().map(|(repository, id, upload)| Lane::start(repository, id, upload, spool.as_ref()));
        let mut this = Self { lanes: lanes.collect(), interrupt, spool, began: Instant::now(), wait };
        this.any_left().await?;
        Ok(this)
    }

    /// Hands `bytes` to every upload, and waits where one has its hands full. Call it from a thread that may block.
    ///
    /// # Errors
    /// When the run is told to stop, or when no repository is left.
    pub(crate) fn write(&mut self, bytes: &Bytes) -> Result<(), Failure> {
        Handle::current().block_on(async {
            let spools = self.spool.as_ref().is_some_and(|spool| spool.give(bytes));
            for at in 0..self.lanes.len() {
                while self.lanes.get(at).is_some_and(|lane| lane.offer(bytes, spools) == Offered::Full) {
                    self.hold(at).await?;
                }
            }
            self.any_left().await
        })
    }

    /// Waits a little for a lane that is full. One that has held up the others for too long is left behind.
    async fn hold(&mut self, at: usize) -> Result<(), Failure> {
        let Some(feed) = self.lanes.get(at).map(|lane| Arc::clone(&lane.feed)) else { return Ok(()) };
        let began = Instant::now();
        tokio::select! {
            biased;
            signal = self.interrupt.wait() => return Err(stopped_by(signal)),
            _ = tokio::time::timeout(SLICE, feed.room()) => {}
        }
        let mut others = self.lanes.iter().enumerate().filter(|(other, lane)| *other != at && !lane.feed.is_closed());
        let could_go_on = others.any(|(_, lane)| lane.feed.is_hungry());
        let elapsed = self.began.elapsed();
        let wait = self.wait;
        if let Some(lane) = self.lanes.get_mut(at).filter(|_| could_go_on) {
            lane.held += began.elapsed();
            let is_too_long = match wait {
                Some(wait) => lane.held > wait,
                None => lane.held > LEAST_WAIT && lane.held > elapsed / 2,
            };
            if is_too_long {
                let failure = left_behind(lane.held);
                tracing::error!("{}: {failure}", lane.repository.display_name());
                lane.feed.stop(failure);
            }
        }
        Ok(())
    }

    /// That no more bytes come. What is in the queues is still on its way.
    pub(crate) fn end(self) -> Vec<Lane> {
        self.lanes.iter().for_each(|lane| lane.feed.end());
        self.lanes
    }

    /// Aborts every upload.
    pub(crate) async fn abort(self) {
        self.lanes.iter().for_each(|lane| lane.feed.stop(stopped_by("an interrupt")));
        for lane in self.lanes {
            lane.abort().await;
        }
    }

    /// Makes the archive visible in the only repository of the run.
    ///
    /// # Errors
    /// When it refuses.
    pub(crate) async fn complete_only(self, digest: &Digest) -> Result<Stored, Failure> {
        match self.end().into_iter().next() {
            Some(lane) => lane.complete(digest).await.2.map_err(Refused::into_failure),
            None => Err(Failure::new(Exit::Failed, "the upload was never completed")),
        }
    }

    async fn any_left(&mut self) -> Result<(), Failure> {
        if self.lanes.iter().any(|lane| !lane.feed.is_closed()) {
            return Ok(());
        }
        match self.lanes.first_mut() {
            Some(first) => Err(first.failure().await),
            None => Ok(()),
        }
    }
}

impl Lane {
    fn start(
        repository: Repository,
        id: BackupId,
        upload: Result<Upload, Failure>,
        spool: Option<&Arc<Spool>>,
    ) -> Self {
        let feed = Arc::new(Feed::default());
        let is_spool = matches!(repository, Repository::Directory(_));
        let carrying = match upload {
            Ok(upload) => {
                let spool = spool.map(Arc::clone);
                let carrier = Carrier { feed: Arc::clone(&feed), spool, is_spool, place: repository.display_name() };
                Ok(tokio::spawn(carrier.carry(upload)))
            }
            Err(failure) => {
                tracing::error!("{}: {failure}", repository.display_name());
                feed.close();
                Err(failure)
            }
        };
        Self { repository, id, feed, carrying, held: Duration::ZERO }
    }

    fn offer(&self, bytes: &Bytes, spools: bool) -> Offered {
        self.feed.offer(bytes, spools && !matches!(self.repository, Repository::Directory(_)))
    }

    /// Why it was lost.
    async fn failure(&mut self) -> Failure {
        let lost = || Failure::new(Exit::Failed, "the upload ended early");
        match &mut self.carrying {
            Err(failure) => failure.clone(),
            Ok(task) => match task.await {
                Ok(Err(failure)) => {
                    self.carrying = Err(failure.clone());
                    failure
                }
                _ => lost(),
            },
        }
    }

    /// Waits until the last byte is there, and makes the archive visible.
    pub(crate) async fn complete(self, digest: &Digest) -> (Repository, BackupId, Result<Stored, Refused>) {
        let Self { repository, id, carrying, .. } = self;
        let stored = match uploaded(carrying).await {
            Ok(upload) => upload.complete(digest).await.map_err(|error| match error {
                repository::Error::Conflict { .. } => Refused::Conflict(error.into()),
                error => Refused::Failed(error.into()),
            }),
            Err(failure) => Err(Refused::Failed(failure)),
        };
        (repository, id, stored)
    }

    /// Gives up, and removes what was stored so far.
    pub(crate) async fn abort(self) {
        self.feed.stop(stopped_by("an interrupt"));
        if let Ok(upload) = uploaded(self.carrying).await {
            upload.abort().await;
        }
    }
}

async fn uploaded(carrying: Result<JoinHandle<Result<Upload, Failure>>, Failure>) -> Result<Upload, Failure> {
    let failed = |error| Failure::new(Exit::Failed, format!("the upload's own task failed: {error}"));
    carrying?.await.unwrap_or_else(|error| Err(failed(error)))
}

impl Refused {
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Conflict(failure) | Self::Failed(failure) => failure,
        }
    }
}

/// The failure of a place that held up the others.
fn left_behind(held: Duration) -> Failure {
    let error = format!("it was left behind, because the others had waited for it for {:.0} s", held.as_secs_f64());
    Failure::new(Exit::Failed, error)
        .hint("set BACKUP_DIR, from which a slow bucket is served to its end, or raise BACKUP_SLOW_PLACE_WAIT")
}

/// What isn't there in the middle of a run was there when it began: nothing that was asked for is missing.
pub(super) fn under_way(failure: Failure) -> Failure {
    match failure.exit {
        Exit::NotFound => Failure { exit: Exit::Failed, ..failure }.hint(
            "check whether the folder was moved, its disk unmounted or the database dropped meanwhile, and run the backup again",
        ),
        _ => failure,
    }
}

/// The failure of a run that was told to stop.
pub(crate) fn stopped_by(signal: &str) -> Failure {
    Failure::new(Exit::Failed, format!("stopped by {signal}")).hint("start it again; nothing of this run was kept")
}
