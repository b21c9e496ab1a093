//! The verify function reads each backup that arrives back once, to its last byte, and stores a verdict.
//!
//! An event only says where to look. One small listing then decides, so events that come twice, late or out of order
//! end in the same state. A backup that takes longer than the deadline goes on in another invocation, from a saved
//! place whose arrival is the event for it. A very large one is read in parts, side by side (`parts`).
//!
//! What was found is published first, and stored after. Whoever dies between leaves no verdict, so the next try judges again and
//! says it again: it is said at least once. People hear of damage from the freshness function, of all at once.

mod due;
mod earlier;
mod parts;
mod place;
mod prove;
mod read;
mod round;
mod settle;
mod summary;
mod sweep;

use catalog::{BackupId, Part, Record};
use jiff::SignedDuration;
use serde_json::Value;

use self::due::{Skip, Why};
use self::parts::Machine;
use self::place::Place;
use self::round::Round;
use self::summary::{Handled, Summary};
use crate::queue::Queue;
use crate::{Action, Arrival, Cloud, Deadline, Environment, Event, Failure, Malformed, Queued, Scheduled};

/// The verify function.
#[derive(Clone, Debug)]
pub struct Verify {
    cloud: Cloud,
    queue: Option<Queue>,
    machine: Option<Machine>,
    /// It serves the state machine, and nobody else.
    proves: bool,
    reverify_after: SignedDuration,
}

impl Verify {
    /// Makes the function ready for invocations.
    ///
    /// # Errors
    /// When a setting is invalid.
    pub fn new(cloud: Cloud, environment: &Environment<'_>) -> Result<Self, Failure> {
        let days: u32 = environment.parsed("LASTGOOD_REVERIFY_AFTER_DAYS", 25)?;
        let reverify_after = SignedDuration::from_hours(i64::from(days) * 24);
        let machine = Machine::of(&cloud, environment)?;
        let proves = environment.parsed("LASTGOOD_PROVES_PARTS", false)?;
        Ok(Self { queue: Queue::of(&cloud, environment), machine, proves, cloud, reverify_after })
    }

    /// Handles every record of one event, even if others of it fail. Messages of a queue that failed are named in the
    /// answer, and come again.
    ///
    /// # Errors
    /// When anything failed, after everything was tried; of several messages, when every one did.
    pub async fn run(&self, payload: &Value, deadline: Deadline) -> Result<Value, Failure> {
        let Self { cloud, queue, machine, reverify_after, .. } = self;
        if self.proves {
            return prove::answer(cloud, payload, deadline).await;
        }
        let (queue, machine, reverify_after) = (queue.as_ref(), machine.as_ref(), *reverify_after);
        let mut round = Round { cloud, queue, machine, reverify_after, deadline, summary: Summary::default() };
        match Event::read(payload)? {
            Event::Queued(messages) => round.messages(messages).await,
            event => round.event(event).await,
        }
        round.summary.conclude()
    }
}

impl Round<'_> {
    /// Handles each message, and has those that failed for the first time come again soon.
    async fn messages(&mut self, messages: Vec<Queued>) {
        let receipts: Vec<(String, Option<String>)> =
            messages.iter().map(|message| (message.id.clone(), message.receipt.clone())).collect();
        for message in messages {
            self.summary.begin(message.id);
            match message.event {
                Ok(event) => self.event(event).await,
                Err(malformed) => self.summary.add(Err(malformed.into())),
            }
        }
        let Some(queue) = self.queue else { return };
        for (id, receipt) in receipts {
            if let Some(receipt) = receipt.filter(|_| self.summary.comes_again_soon(&id)) {
                queue.again_soon(&receipt).await;
            }
        }
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::Arrivals(arrivals) => {
                for arrival in arrivals {
                    match arrival {
                        Ok(arrival) => self.arrival(arrival).await,
                        Err(malformed) => self.summary.add(Err(malformed.into())),
                    }
                }
            }
            Event::Scheduled(Scheduled { action: Action::Sweep, .. }) => self.sweep(None).await,
            Event::Scheduled(Scheduled { action: Action::Verify, backup, .. }) => self.wish(backup).await,
            Event::Scheduled(other) => self.summary.add(Err(Malformed::not_for("verify", other.action).into())),
            // Messages hold none: reading has refused them.
            Event::Queued(_) | Event::Nothing => {}
        }
    }

    /// Handles an object that arrived, by its key.
    async fn arrival(&mut self, Arrival { bucket, key, etag }: Arrival) {
        let handled = match self.cloud.repository.layout().parse(&key) {
            _ if bucket != self.cloud.bucket() => Err(Malformed(format!("it is about the bucket {bucket}")).into()),
            Part::Record { id, record: Record::Manifest } => self.backup(&id, &Why::Arrived, false).await,
            Part::Record { id, record: Record::Verifying } => return self.go_on(&id, etag).await,
            // There an archive may come after its manifest.
            Part::Archive { id, .. } if self.cloud.repository.layout().is_vault() => {
                self.backup(&id, &Why::Arrived, false).await
            }
            _ => Ok(Handled::Skipped { name: key, reason: Skip::Foreign }),
        };
        self.summary.add(handled);
    }

    /// Verifies a backup that the sweep or a person asks for, as a sweep would.
    async fn wish(&mut self, backup: Option<String>) {
        let handled = match backup.as_deref().map(str::parse::<BackupId>) {
            Some(Ok(id)) => self.backup(&id, &Why::Swept, false).await,
            Some(Err(invalid)) => Err(Malformed(format!("`{}`: {invalid}", backup.unwrap_or_default())).into()),
            None => Err(Malformed("it names no backup".to_owned()).into()),
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
        // With a queue no sweep reads, and so none has to go on: the place is from before there was one.
        let sweeping = sweeping && self.queue.is_none();
        let handled = self.backup(id, &Why::GoesOn { etag }, sweeping).await;
        let stopped = matches!(handled, Ok(Handled::GoesOn { .. } | Handled::Skipped { reason: Skip::Superseded, .. }));
        self.summary.add(handled);
        if sweeping && !stopped {
            self.sweep(Some(id)).await;
        }
    }
}
