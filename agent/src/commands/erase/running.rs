//! The certificate while the erasure goes on: stored after each backup, so that a run that breaks off has told what it did. The next run with
//! the same salt goes on with it; one with another salt names it.

use catalog::erasure::{Certificate, Certified, Outcome};
use jiff::{SignedDuration, Timestamp};
use repository::{PutOutcome, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::commands::erase::asked::Request;
use crate::commands::erase::facts::Ground;
use crate::commands::erase::paper::Paper;

/// How many certificates are looked at for one that broke off.
const MOST: usize = 100;
/// How many seconds are tried whose names other erasures have.
const TRIES: usize = 10;

/// Where the certificate is kept.
pub(super) struct Running<'a> {
    repository: &'a Repository,
    paper: Option<&'a Paper>,
    /// Its key, once it is stored.
    key: Option<String>,
    /// Why it isn't.
    refusal: Option<String>,
}

/// What earlier runs say that broke off.
#[derive(Default)]
pub(super) struct Past {
    /// When the one with the same salt began.
    pub(super) began: Option<Timestamp>,
    /// What that one has done.
    pub(super) done: Vec<Certified>,
    /// The names of those with another.
    pub(super) others: Vec<String>,
    key: Option<String>,
}

impl Past {
    /// Looks for them. What can't be read is told, and counts as none.
    pub(super) async fn of(ground: &Ground, request: &Request) -> Self {
        let found = ground.repository.certificates(MOST).await.unwrap_or_else(|error| {
            tracing::warn!(
                "cannot read the certificates of earlier erasures in {}: {error}; if one was broken off, this run begins a certificate \
                 of its own",
                ground.repository.display_name()
            );
            Vec::new()
        });
        let mut past = Self::default();
        let is_broken = |(_, certificate): &(String, Certificate)| {
            certificate.finished.is_none() && certificate.database == ground.catalog.database
        };
        for (key, certificate) in found.into_iter().filter(is_broken) {
            if certificate.asked.request == request.asked.request && past.key.is_none() {
                let has_gone = |one: &Certified| matches!(one.outcome, Outcome::Erased | Outcome::Cleared);
                past.done = certificate.backups.into_iter().filter(has_gone).collect();
                (past.began, past.key) = (Some(certificate.began), Some(key));
            } else {
                past.others.push(ground.repository.object_name(&key));
            }
        }
        past
    }
}

impl<'a> Running<'a> {
    /// Stores the first one, when nothing has been done yet.
    ///
    /// # Errors
    /// When the file that was named can't be written. A repository that refuses costs a warning.
    pub(super) async fn begin(
        repository: &'a Repository,
        paper: Option<&'a Paper>,
        past: &Past,
        certificate: &Certificate,
    ) -> Result<Self, Failure> {
        let mut running = Self { repository, paper, key: past.key.clone(), refusal: None };
        let json = json(certificate)?;
        if let Some(paper) = paper {
            paper.write(&json, false)?;
        }
        if running.key.is_none() {
            running.find_place(certificate.began, &json).await;
        } else {
            running.store(&json).await;
        }
        if let Some(why) = &running.refusal {
            tracing::warn!(
                "the certificate cannot be stored in {}: {why}; keep this run's answer",
                repository.display_name()
            );
        }
        Ok(running)
    }

    /// Stores what has been done by now.
    pub(super) async fn keep(&mut self, certificate: &Certificate) {
        let Ok(json) = json(certificate) else { return };
        self.store(&json).await;
        if let Some(Err(failure)) = self.paper.map(|paper| paper.write(&json, false)) {
            tracing::warn!("{}", failure.error);
        }
    }

    /// Stores the last one. Answers with its name there; what the file refused is a failure.
    pub(super) async fn end(mut self, certificate: &Certificate) -> Result<(Option<String>, Option<Failure>), Failure> {
        let json = json(certificate)?;
        self.refusal = None;
        self.store(&json).await;
        if let Some(why) = &self.refusal {
            tracing::warn!(
                "the certificate is not stored in {}: {why}; keep this answer",
                self.repository.display_name()
            );
        }
        let stored = self.key.filter(|_| self.refusal.is_none()).map(|key| self.repository.object_name(&key));
        let refused = self.paper.and_then(|paper| paper.write(&json, true).err());
        Ok((stored, refused))
    }

    /// Two erasures may have begun in one second.
    async fn find_place(&mut self, began: Timestamp, json: &[u8]) {
        for later in 0..TRIES {
            let key = self.repository.layout().erasure(began + SignedDuration::from_secs(later as i64));
            match self.repository.put_new(&key, json.to_vec()).await {
                Ok(PutOutcome::Stored(_)) => {
                    self.key = Some(key);
                    return;
                }
                Ok(PutOutcome::Exists) => {}
                Err(error) => {
                    self.refusal = Some(error.to_string());
                    return;
                }
            }
        }
        self.refusal = Some("no name is free".to_owned());
    }

    async fn store(&mut self, json: &[u8]) {
        let Some(key) = &self.key else { return };
        if let Err(error) = self.repository.put_over(key, json.to_vec()).await {
            self.refusal = Some(error.to_string());
        }
    }
}

fn json(certificate: &Certificate) -> Result<Vec<u8>, Failure> {
    certificate.to_json().map_err(|e| Failure::new(Exit::Failed, e.to_string()))
}
