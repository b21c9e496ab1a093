//! The task that carries one lane's bytes into its upload.

use std::sync::Arc;

use bytes::Bytes;
use repository::Upload;

use super::feed::{Feed, Next};
use super::spool::Spool;
use crate::answers::failure::{Exit, Failure};

pub(super) struct Carrier {
    pub(super) feed: Arc<Feed>,
    /// The local copy, where there is one.
    pub(super) spool: Option<Arc<Spool>>,
    /// This lane is the local copy.
    pub(super) is_spool: bool,
    /// What messages call the repository.
    pub(super) place: String,
}

impl Carrier {
    /// Stores what it is fed, to the end. After a failure nothing of the upload is left.
    ///
    /// # Errors
    /// Those of the store; the reason for which it was told to stop.
    pub(super) async fn carry(self, mut upload: Upload) -> Result<Upload, Failure> {
        let mut offset = 0;
        let failure = loop {
            let bytes = match self.feed.next(offset).await {
                Next::End => return Ok(upload),
                // Who told it to stop has said so.
                Next::Stop(why) => return self.give_up(upload, why).await,
                Next::Block(bytes) => bytes,
                Next::Missed => match self.missed(offset).await {
                    Ok(bytes) => bytes,
                    Err(failure) => break failure,
                },
            };
            offset += bytes.len() as u64;
            let written = tokio::select! {
                biased;
                why = self.feed.stopped() => return self.give_up(upload, why).await,
                written = upload.write(bytes) => written,
            };
            match (written, self.own_spool()) {
                (Ok(()), Some(spool)) => spool.wrote(),
                (Ok(()), None) => {}
                (Err(error), _) => break error.into(),
            }
        };
        tracing::error!("{}: {failure}", self.place);
        self.give_up(upload, failure).await
    }

    async fn give_up(&self, upload: Upload, failure: Failure) -> Result<Upload, Failure> {
        // Nobody is to wait for what is cleared up.
        if let Some(spool) = self.own_spool() {
            spool.lose();
        }
        self.feed.close();
        upload.abort().await;
        Err(failure)
    }

    fn own_spool(&self) -> Option<&Arc<Spool>> {
        self.spool.as_ref().filter(|_| self.is_spool)
    }

    async fn missed(&self, offset: u64) -> Result<Bytes, Failure> {
        let unreadable = |why: String| {
            Failure::new(Exit::Failed, format!("the local copy, from which it is served, cannot be read: {why}"))
                .hint("check the disk of BACKUP_DIR, and run the backup again")
        };
        match &self.spool {
            Some(spool) => spool.read(offset).await.map_err(|error| unreadable(error.to_string())),
            None => Err(unreadable("there is none".to_owned())),
        }
    }
}
