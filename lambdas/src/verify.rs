//! The verify function: each backup that arrives is read back once, to its last byte, and gets its verdict.
//!
//! An event only says where to look. What is there decides, at the cost of one small listing: so events that come twice,
//! late or out of order end in the same state. What can't be read within the deadline goes on in another invocation, from
//! a saved place whose arrival is the event for it.
//!
//! The verdict is stored first and published after. A failure to publish fails the invocation, and the next try finds the
//! backup judged: the failure itself rings, by the alarm on errors, and metric and message vouch for each other.

mod due;
mod earlier;
mod outcome;
mod place;
mod read;
mod sweep;

use catalog::verdict::{Verdict, Verifier, judge};
use catalog::{BackupId, Entry, Manifest, Part, Record};
use jiff::{SignedDuration, Timestamp};
use repository::Head;
use serde_json::Value;

use self::due::{Due, Skip, Why};
use self::place::Place;
use self::read::{Reading, Start};
use crate::{Action, Arrival, Cloud, Deadline, Environment, Event, Failure, Malformed, metric};

pub use self::earlier::Sizes;
pub use self::outcome::{Judged, Outcome, Report};

const JSON: &str = "application/json";

/// How long the manifest of an archive of ours may be late before the archive counts as never committed.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// The function.
#[derive(Clone, Debug)]
pub struct Verify {
    cloud: Cloud,
    reverify_after: SignedDuration,
}

/// One invocation.
struct Round<'a> {
    verify: &'a Verify,
    deadline: Deadline,
    report: Report,
    /// A sweep that has reached this backup goes on when it is done.
    sweep_below: Option<BackupId>,
}

impl Verify {
    /// Ready for invocations.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn new(cloud: Cloud, environment: &Environment<'_>) -> Result<Self, Failure> {
        let days: u32 = environment.parsed("LASTGOOD_REVERIFY_AFTER_DAYS", 30)?;
        Ok(Self { cloud, reverify_after: SignedDuration::from_hours(i64::from(days) * 24) })
    }

    /// Takes care of one event: every record of it, whatever becomes of the others.
    ///
    /// # Errors
    /// When anything failed, after all was tried.
    pub async fn run(&self, payload: &Value, deadline: Deadline) -> Result<Value, Failure> {
        let mut round = Round { verify: self, deadline, report: Report::default(), sweep_below: None };
        match Event::read(payload)? {
            Event::Arrivals(arrivals) => {
                for arrival in arrivals {
                    round.arrival(arrival).await;
                }
            }
            Event::Scheduled(scheduled) if scheduled.action == Action::Sweep => round.sweep(None).await,
            Event::Scheduled(other) => return Err(Malformed(format!("verify doesn't {:?}", other.action)).into()),
            Event::Nothing => {}
        }
        round.tell().await;
        round.report.conclude()
    }
}

impl Round<'_> {
    async fn arrival(&mut self, arrival: Result<Arrival, Malformed>) {
        let handled = match arrival {
            Ok(arrival) => self.look(arrival).await,
            Err(malformed) => Err(malformed.into()),
        };
        self.report.add(handled);
        if let Some(below) = self.sweep_below.take() {
            self.sweep(Some(&below)).await;
        }
    }

    /// What arrived, by its key.
    async fn look(&mut self, Arrival { bucket, key, etag }: Arrival) -> Result<Outcome, Failure> {
        if bucket != self.cloud().bucket() {
            return Err(Malformed(format!("it is about the bucket {bucket}")).into());
        }
        match self.cloud().repository.layout().parse(&key) {
            Part::Record { id, record: Record::Manifest } => self.backup(&id, &Why::Arrived, false).await,
            Part::Record { id, record: Record::Verifying } => self.go_on(&id, etag).await,
            _ => Ok(Outcome::Skipped { name: key, reason: Skip::Foreign }),
        }
    }

    /// Goes on where an earlier invocation stopped: with its backup, and then with its sweep.
    async fn go_on(&mut self, id: &BackupId, etag: Option<String>) -> Result<Outcome, Failure> {
        let key = self.cloud().repository.layout().verifying(id);
        let place = self.cloud().repository.read_key(&key).await?.and_then(|bytes| Place::from_json(&bytes));
        let sweeping = place.is_some_and(|place| place.sweeping);
        let outcome = self.backup(id, &Why::GoesOn { etag }, sweeping).await;
        let stopped = matches!(outcome, Ok(Outcome::GoesOn { .. } | Outcome::Skipped { reason: Skip::Superseded, .. }));
        self.sweep_below = (sweeping && !stopped).then(|| id.clone());
        outcome
    }

    /// Verifies one backup, if it needs it. `sweeping`: a sweep waits for it to be done.
    async fn backup(&mut self, id: &BackupId, why: &Why, sweeping: bool) -> Result<Outcome, Failure> {
        let now = Timestamp::now();
        let Some(entry) = self.cloud().repository.entry(id).await? else {
            return Ok(Outcome::Skipped { name: id.to_string(), reason: Skip::Gone });
        };
        let saved = match due::due(&entry, why, now, self.verify.reverify_after) {
            Due::Not(reason) => return Ok(Outcome::Skipped { name: id.to_string(), reason }),
            Due::Anew => None,
            Due::GoOn(place) => Place::from_json(&self.cloud().repository.read_record(&place).await?),
        };
        let Some(archive) = &entry.archive else { return self.absent(id, now).await };
        let Some(head) = self.cloud().repository.head(&archive.key).await? else { return self.absent(id, now).await };
        let manifest = self.manifest(&entry).await?;
        if manifest.is_none() && head.lastgood_id().is_some() {
            return self.uncommitted(id, &head, now).await;
        }
        let start = Start::of(saved, &head.object, now, sweeping);
        self.read_back(&entry, manifest.as_ref(), &head, start).await
    }

    /// Reads the archive until its end, or until time is up.
    async fn read_back(
        &mut self,
        entry: &Entry,
        manifest: Option<&Manifest>,
        head: &Head,
        start: Start,
    ) -> Result<Outcome, Failure> {
        let (begun, rounds) = (start.begun, start.rounds);
        let verdict = match read::read(&self.cloud().repository, &head.object, start, self.deadline).await? {
            Reading::Whole(inspected) => {
                judge(manifest, &head.object, &head.expected(), &inspected, Timestamp::now(), verifier())
            }
            Reading::Unfinished { read } => Verdict::unfinished(&head.object, read, Timestamp::now(), verifier()),
            Reading::Stopped(place) => return self.save(entry, &place).await,
        };
        let sizes = manifest.filter(|_| !entry.is_safety() && entry.judged().is_none());
        let sizes = sizes.map(|manifest| Sizes::of(manifest, head.object.size));
        let read = verdict.digest.as_ref().map_or(0, |digest| digest.size);
        let took = verdict.verified.duration_since(begun);
        self.settle(Judged { id: entry.id.clone(), verdict, read, rounds, took, sizes }, Some(entry)).await
    }

    /// Stores the verdict, then publishes it.
    async fn settle(&mut self, mut judged: Judged, entry: Option<&Entry>) -> Result<Outcome, Failure> {
        let repository = &self.cloud().repository;
        let key = repository.layout().record(&judged.id, judged.verdict.record());
        let json = judged.verdict.to_json();
        let json = json.map_err(|source| Failure::Document { object: repository.object_name(&key), source })?;
        repository.put_over(&key, json, JSON).await?;
        if !judged.verdict.is_intact() {
            self.report.damaged.push(judged.clone());
        }
        if let (Some(sizes), Some(entry)) = (&mut judged.sizes, entry) {
            earlier::add(&self.cloud().repository, entry, sizes).await?;
        }
        self.cloud().publish(&metric::judged(&judged)).await?;
        Ok(Outcome::Judged(Box::new(judged)))
    }

    /// The archive isn't there. Asked again, because retention removes manifests before archives: with neither there any
    /// more all is well, and only a manifest that stays behind is a finding.
    async fn absent(&mut self, id: &BackupId, now: Timestamp) -> Result<Outcome, Failure> {
        let entry = self.cloud().repository.entry(id).await?;
        let manifest = match &entry {
            Some(entry) if entry.archive.is_some() => return Err(Failure::Replaced { object: id.to_string() }),
            Some(entry) => self.manifest(entry).await?,
            None => None,
        };
        let Some(manifest) = manifest else {
            return Ok(Outcome::Skipped { name: id.to_string(), reason: Skip::Gone });
        };
        let verdict = Verdict::missing(&manifest, now, verifier());
        let took = SignedDuration::ZERO;
        self.settle(Judged { id: id.clone(), verdict, read: 0, rounds: 1, took, sizes: None }, None).await
    }

    /// An archive of ours whose manifest never came. The mark tells retention, which may not look into archives, whose
    /// it is; it isn't a damaged backup, because it never was one.
    async fn uncommitted(&self, id: &BackupId, head: &Head, now: Timestamp) -> Result<Outcome, Failure> {
        if now.duration_since(head.object.last_modified) < LATE {
            return Ok(Outcome::Skipped { name: id.to_string(), reason: Skip::Uncommitted });
        }
        let repository = &self.cloud().repository;
        let key = repository.layout().damaged(id);
        let json = Verdict::uncommitted(&head.object, now, verifier()).to_json();
        let json = json.map_err(|source| Failure::Document { object: repository.object_name(&key), source })?;
        repository.put_over(&key, json, JSON).await?;
        Ok(Outcome::Skipped { name: id.to_string(), reason: Skip::Uncommitted })
    }

    async fn manifest(&self, entry: &Entry) -> Result<Option<Manifest>, Failure> {
        let Some(listed) = &entry.manifest else { return Ok(None) };
        let repository = &self.cloud().repository;
        let bytes = repository.read_record(listed).await?;
        let object = || repository.object_name(&listed.key);
        Manifest::from_json(&bytes).map(Some).map_err(|source| Failure::Document { object: object(), source })
    }

    fn cloud(&self) -> &Cloud {
        &self.verify.cloud
    }
}

#[expect(clippy::disallowed_methods, reason = "Lambda's own variable: the function's name is no setting of ours")]
fn verifier() -> Verifier {
    let host = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "function".to_owned());
    Verifier { name: "function".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), host }
}
