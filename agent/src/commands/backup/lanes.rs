//! The same bytes into every repository of a run. One that fails is left behind, and the others go on.

use archive::Digest;
use bytes::Bytes;
use catalog::BackupId;
use repository::{Repository, Stored, Upload, UploadMetadata};
use tokio::runtime::Handle;

use crate::answers::failure::{Exit, Failure};
use crate::interrupt::Interrupt;

/// One repository of a run, and how far the run has come there.
pub(crate) struct Lane {
    pub(crate) repository: Repository,
    pub(crate) id: BackupId,
    pub(crate) progress: Result<Reached, Failure>,
    /// The store found another upload in the way (409): only a whole new one helps.
    pub(crate) conflicted: bool,
}

/// How far the run has come in one repository.
pub(crate) enum Reached {
    /// Bytes are on their way; nothing is visible.
    Uploading(Upload),
    /// The archive is visible, whole, and waits for its manifest.
    Stored(Stored),
}

/// What came of making the archive visible.
pub(crate) enum Completed {
    /// It is visible in each repository that did not fail by itself.
    Done(Vec<Lane>),
    /// It is visible nowhere, and another dump may succeed.
    Again,
}

/// Every repository of a run.
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    interrupt: Interrupt,
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
    ) -> Result<Self, Failure> {
        let mut lanes = Vec::with_capacity(places.len());
        for (repository, id) in places {
            let upload = repository.start_upload(&key(&repository, &id), metadata).await;
            let progress = upload.map(Reached::Uploading).map_err(Failure::from);
            lanes.push(Lane { repository, id, progress, conflicted: false });
        }
        let this = Self { lanes, interrupt };
        this.any_left()?;
        Ok(this)
    }

    /// Hands `bytes` to every upload, and waits where one has its hands full. Call it from a thread that may block.
    ///
    /// # Errors
    /// When the run is told to stop, or when no repository is left.
    pub(crate) fn write(&mut self, bytes: &Bytes) -> Result<(), Failure> {
        let runtime = Handle::current();
        for lane in &mut self.lanes {
            let Ok(Reached::Uploading(upload)) = &mut lane.progress else { continue };
            let written = runtime.block_on(async {
                tokio::select! {
                    biased;
                    signal = self.interrupt.wait() => Err(stopped_by(signal)),
                    written = upload.write(bytes.clone()) => Ok(written),
                }
            })?;
            if let Err(error) = written {
                lane.fail(&runtime, error.into());
            }
        }
        self.any_left()
    }

    /// Makes the archive visible in every repository that took all of it. The last one first, which is the bucket: while
    /// nothing shows anywhere, its conflict can be answered by a whole new dump, where `may_repeat` allows one.
    pub(crate) async fn complete(mut self, digest: &Digest, may_repeat: bool) -> Completed {
        for lane in self.lanes.iter_mut().rev() {
            lane.complete(digest).await;
            if lane.conflicted && may_repeat {
                self.abort().await;
                return Completed::Again;
            }
        }
        Completed::Done(self.lanes)
    }

    /// Aborts every upload.
    pub(crate) async fn abort(self) {
        for lane in self.lanes {
            if let Ok(Reached::Uploading(upload)) = lane.progress {
                upload.abort().await;
            }
        }
    }

    fn any_left(&self) -> Result<(), Failure> {
        let mut failures = self.lanes.iter().map(|lane| lane.progress.as_ref().err());
        match failures.next() {
            Some(Some(first)) if failures.all(|f| f.is_some()) => Err(first.clone()),
            _ => Ok(()),
        }
    }
}

impl Lane {
    async fn complete(&mut self, digest: &Digest) {
        let progress = std::mem::replace(&mut self.progress, Err(stopped_by("an interrupt")));
        self.progress = match progress {
            Ok(Reached::Uploading(upload)) => upload.complete(digest).await.map(Reached::Stored).map_err(|error| {
                self.conflicted = matches!(error, repository::Error::Conflict { .. });
                error.into()
            }),
            other => other,
        };
    }

    fn fail(&mut self, runtime: &Handle, failure: Failure) {
        tracing::error!("{}: {failure}", self.repository.display_name());
        if let Ok(Reached::Uploading(upload)) = std::mem::replace(&mut self.progress, Err(failure)) {
            runtime.block_on(upload.abort());
        }
    }
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
