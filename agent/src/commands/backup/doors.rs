//! Which of the places can be opened, before anything is dumped: what is certain to refuse the backup is named now, and the dump goes
//! to the others.

use std::time::Duration;

use catalog::Stem;
use jiff::Timestamp;
use repository::{Error, Repository};

use crate::answers::failure::{Exit, Failure};
use crate::places::Spot;
use crate::settings::Settings;
use crate::together::{self, One};

/// How long a place is asked. If it can't be reached, the upload waits for it, and not this.
const ASKING: Duration = Duration::from_secs(5);

/// The places of a run.
#[derive(Debug)]
pub(super) struct Doors {
    /// Those that are open, as far as is known; the directory first.
    pub(super) repositories: Vec<Repository>,
    /// Which places these are, in the same order.
    pub(super) spots: Vec<Spot>,
    /// Those that are not, and why.
    pub(super) closed: Vec<(Spot, Failure)>,
}

impl Doors {
    /// Every place of the settings.
    ///
    /// # Errors
    /// The first one's, where none has settings that can be used.
    pub(super) async fn find(settings: &Settings) -> Result<Self, Failure> {
        let mut doors = Self { repositories: Vec::new(), spots: Vec::new(), closed: Vec::new() };
        for spot in Spot::all(settings) {
            match spot.open(settings).await {
                Ok(repository) => {
                    doors.repositories.push(repository);
                    doors.spots.push(spot);
                }
                Err(error) => doors.close(spot, &spot.address(settings), error.into()),
            }
        }
        doors.any_open()
    }

    /// Asks each bucket for one backup, and leaves out those that are certain to refuse it. Who may not list may still store.
    ///
    /// # Errors
    /// The first refusal, where all refuse.
    pub(super) async fn try_all(&mut self, stem: Stem, now: Timestamp) -> Result<(), Failure> {
        let ask = |repository: &Repository| -> One<'static, Option<Error>> {
            let (repository, id) = (repository.clone(), repository.layout().place(stem.clone(), now));
            Box::pin(async move {
                let Repository::Bucket(_) = repository else { return None };
                let asked = tokio::time::timeout(ASKING, repository.entry(&id)).await;
                asked.ok()?.err().filter(Error::is_closed_door)
            })
        };
        let asked = together::all(self.repositories.iter().map(ask).collect()).await;
        let doors = std::mem::take(&mut self.repositories).into_iter().zip(std::mem::take(&mut self.spots));
        for ((repository, spot), refused) in doors.zip(asked) {
            match refused {
                Some(error) => self.close(spot, &repository.display_name(), error.into()),
                None => {
                    self.repositories.push(repository);
                    self.spots.push(spot);
                }
            }
        }
        match (self.repositories.is_empty(), self.closed.first()) {
            (true, Some((_, failure))) => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    fn close(&mut self, spot: Spot, name: &str, failure: Failure) {
        let failure = spot.own(failure);
        tracing::error!("{name}: {failure}");
        self.closed.push((spot, failure));
    }

    fn any_open(self) -> Result<Self, Failure> {
        match (self.repositories.is_empty(), self.closed.first()) {
            (true, Some((_, failure))) => Err(failure.clone()),
            (true, None) => {
                Err(Failure::new(Exit::Usage, "there is no place to back up to")
                    .hint("set BACKUP_DIR or BACKUP_S3_BUCKET"))
            }
            (false, _) => Ok(self),
        }
    }
}
