//! The verify function reads each backup that arrives back once, to its last byte, and stores a verdict.
//!
//! An event only says where to look. One small listing then decides, so events that come twice, late or out of order
//! end in the same state. A backup that takes longer than the deadline goes on in another invocation, from a saved
//! place whose arrival is the event for it.
//!
//! The verdict is stored first and published after. A failure to publish fails the invocation, and the next try finds
//! the backup judged: the alarm on errors tells of the failure itself, and metric and message stand in for each other.

mod due;
mod earlier;
mod place;
mod read;
mod round;
mod summary;
mod sweep;
mod tell;

use catalog::{BackupId, Part, Record};
use jiff::SignedDuration;
use serde_json::Value;

use self::due::{Skip, Why};
use self::place::Place;
use self::round::Round;
use self::summary::{Handled, Summary};
use crate::{Action, Arrival, Cloud, Deadline, Environment, Event, Failure, Malformed};

/// The verify function.
#[derive(Clone, Debug)]
pub struct Verify {
    cloud: Cloud,
    reverify_after: SignedDuration,
}

impl Verify {
    /// Makes the function ready for invocations.
    ///
    /// # Errors
    /// When a setting is invalid.
    pub fn new(cloud: Cloud, environment: &Environment<'_>) -> Result<Self, Failure> {
        let days: u32 = environment.parsed("LASTGOOD_REVERIFY_AFTER_DAYS", 30)?;
        Ok(Self { cloud, reverify_after: SignedDuration::from_hours(i64::from(days) * 24) })
    }

    /// Handles every record of one event, even if others of it fail.
    ///
    /// # Errors
    /// When anything failed, after everything was tried.
    pub async fn run(&self, payload: &Value, deadline: Deadline) -> Result<Value, Failure> {
        let (cloud, reverify_after) = (&self.cloud, self.reverify_after);
        let mut round = Round { cloud, reverify_after, deadline, summary: Summary::default() };
        match Event::read(payload)? {
            Event::Arrivals(arrivals) => {
                for arrival in arrivals {
                    match arrival {
                        Ok(arrival) => round.arrival(arrival).await,
                        Err(malformed) => round.summary.add(Err(malformed.into())),
                    }
                }
            }
            Event::Scheduled(scheduled) if scheduled.action == Action::Sweep => round.sweep(None).await,
            Event::Scheduled(other) => return Err(Malformed::not_for("verify", other.action).into()),
            Event::Nothing => {}
        }
        if let Err(failure) = tell::damaged(cloud, &round.summary.damaged).await {
            round.summary.add(Err(failure));
        }
        round.summary.conclude()
    }
}

impl Round<'_> {
    /// Handles an object that arrived, by its key.
    async fn arrival(&mut self, Arrival { bucket, key, etag }: Arrival) {
        let handled = match self.cloud.repository.layout().parse(&key) {
            _ if bucket != self.cloud.bucket() => Err(Malformed(format!("it is about the bucket {bucket}")).into()),
            Part::Record { id, record: Record::Manifest } => self.backup(&id, &Why::Arrived, false).await,
            Part::Record { id, record: Record::Verifying } => return self.go_on(&id, etag).await,
            _ => Ok(Handled::Skipped { name: key, reason: Skip::Foreign }),
        };
        self.summary.add(handled);
    }

    /// Goes on where an earlier invocation stopped: with its backup, and then with its sweep.
    async fn go_on(&mut self, id: &BackupId, etag: Option<String>) {
        let key = self.cloud.repository.layout().verifying(id);
        let sweeping = match self.cloud.repository.read_key(&key).await {
            Ok(place) => place.and_then(|bytes| Place::from_json(&bytes)).is_some_and(|place| place.sweeping),
            Err(error) => return self.summary.add(Err(error.into())),
        };
        let handled = self.backup(id, &Why::GoesOn { etag }, sweeping).await;
        let stopped = matches!(handled, Ok(Handled::GoesOn { .. } | Handled::Skipped { reason: Skip::Superseded, .. }));
        self.summary.add(handled);
        if sweeping && !stopped {
            self.sweep(Some(id)).await;
        }
    }
}
