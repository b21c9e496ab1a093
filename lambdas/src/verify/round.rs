//! One invocation's work on one backup: see whether it is due, read it, store its verdict or its saved place.

use catalog::verdict::{Evidence, Verdict, Verifier, beyond_limits, judge};
use catalog::{BackupId, DocumentError, Entry, Manifest, Object, Record};
use jiff::{SignedDuration, Timestamp};
use repository::{Error, Head};

use super::due::{self, Due, Skip, Why};
use super::parts::Machine;
use super::place::Place;
use super::read::{self, Reading, Start};
use super::summary::{Handled, Summary};
use crate::findings::Judged;
use crate::queue::Queue;
use crate::{Cloud, Deadline, Failure};

/// One invocation of the verify function.
pub(super) struct Round<'a> {
    /// The repository, CloudWatch and SNS.
    pub(super) cloud: &'a Cloud,
    /// Where the sweep puts what is due; without it, it reads by itself.
    pub(super) queue: Option<&'a Queue>,
    /// What reads a large archive in parts; without it, every archive is read here.
    pub(super) machine: Option<&'a Machine>,
    /// The age of a verdict from which the sweep reads a good backup again.
    pub(super) reverify_after: SignedDuration,
    /// When to stop.
    pub(super) deadline: Deadline,
    /// What has come of the invocation so far.
    pub(super) summary: Summary,
}

/// What a backup's bytes should be.
enum Promise {
    /// Nothing says.
    None,
    /// Its manifest says.
    Manifest(Box<Manifest>),
    /// Its manifest did.
    Broken(DocumentError),
}

impl Round<'_> {
    /// Verifies one backup if it is due. `sweeping` says that a sweep goes on after it.
    pub(super) async fn backup(&mut self, id: &BackupId, why: &Why, sweeping: bool) -> Result<Handled, Failure> {
        let now = Timestamp::now();
        let Some(entry) = self.cloud.repository.entry(id).await? else {
            return Ok(Handled::Skipped { name: id.to_string(), reason: Skip::Gone });
        };
        let saved = match due::due(&entry, why, now, self.reverify_after) {
            Due::Not(Skip::NotYet) if *why != Why::Swept => return self.not_yet(id),
            Due::Not(reason) => return Ok(Handled::Skipped { name: id.to_string(), reason }),
            Due::Ask(verdict) if self.is_about(&verdict, &entry).await? => {
                return Ok(Handled::Skipped { name: id.to_string(), reason: Skip::Judged });
            }
            Due::Await => return self.wait_for(id, Skip::NotYet).await,
            Due::Anew | Due::Ask(_) => None,
            Due::GoOn(place) => Place::from_json(&self.cloud.repository.read_record(&place).await?),
        };
        let Some(archive) = &entry.archive else { return self.absent(id, now).await };
        let Some(head) = self.cloud.repository.head(&archive.key).await? else { return self.absent(id, now).await };
        let promise = self.promise(&entry).await?;
        if matches!(promise, Promise::None) && head.lastgood_id().is_some() {
            return self.uncommitted(&entry, &head, now).await;
        }
        if saved.is_none()
            && let Some(machine) = self.machine
            && let Some(under_way) = machine.hand_out(&self.cloud.repository, &entry, &head).await?
        {
            return Ok(under_way);
        }
        let start = Start::of(saved, &head.object, now, sweeping);
        self.read_back(&entry, &promise, &head, start).await
    }

    /// A manifest that is broken is a finding, and one that can't be read a failure.
    async fn promise(&self, entry: &Entry) -> Result<Promise, Failure> {
        match self.manifest(entry).await {
            Ok(manifest) => Ok(manifest.map_or(Promise::None, |manifest| Promise::Manifest(Box::new(manifest)))),
            Err(Error::Document { source, .. }) if source.is_broken() => Ok(Promise::Broken(source)),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the archive until its end, or until time is up.
    async fn read_back(
        &mut self,
        entry: &Entry,
        promise: &Promise,
        head: &Head,
        start: Start,
    ) -> Result<Handled, Failure> {
        let (begun, rounds) = (start.begun, start.rounds);
        let manifest = if let Promise::Manifest(manifest) = promise { Some(&**manifest) } else { None };
        let verdict = match read::read(&self.cloud.repository, &head.object, start, self.deadline).await? {
            Reading::Whole(inspected) => {
                let evidence = Evidence { object: &head.object, expected: &head.expected(), inspected: &inspected };
                if beyond_limits(manifest, evidence).is_some() {
                    let name = entry.id.to_string();
                    return Ok(Handled::Skipped { name, reason: Skip::BeyondLimits });
                }
                let verdict = judge(manifest, evidence, Timestamp::now(), verifier());
                if let Promise::Broken(how) = promise { verdict.with_broken_manifest(how) } else { verdict }
            }
            Reading::Unfinished { read } => Verdict::unfinished(&head.object, read, Timestamp::now(), verifier()),
            Reading::Stopped(place) => return self.save(entry, &place).await,
        };
        self.refuse_replaced(&head.object).await?;
        let read = verdict.digest.as_ref().map_or(0, |digest| digest.size);
        // It may span invocations, whose clocks may differ.
        let took = verdict.verified.duration_since(begun).max(SignedDuration::ZERO);
        let mut judged = Judged { id: entry.id.clone(), verdict, read, rounds, took, sizes: None };
        if let Some(manifest) = manifest.filter(|_| !entry.is_safety()) {
            self.measure(&mut judged, entry, manifest).await;
        }
        self.settle(judged).await
    }

    /// In a vault another version may have come meanwhile, which a verdict on this one would hide: whoever comes next reads that.
    async fn refuse_replaced(&self, read: &Object) -> Result<(), Failure> {
        if !self.cloud.repository.layout().is_vault() {
            return Ok(());
        }
        let now = self.cloud.repository.head(&read.key).await?.map(|head| head.object);
        let is_same =
            now.is_some_and(|now| (now.bare_etag(), now.pinned_version()) == (read.bare_etag(), read.pinned_version()));
        if is_same { Ok(()) } else { Err(Failure::Replaced { object: read.key.clone() }) }
    }

    /// Handles a missing archive. It looks again, because retention removes manifests before archives: if both are gone
    /// all is well, and only a manifest that stays behind is a finding.
    async fn absent(&mut self, id: &BackupId, now: Timestamp) -> Result<Handled, Failure> {
        let Some(entry) = self.cloud.repository.entry(id).await? else {
            return Ok(Handled::Skipped { name: id.to_string(), reason: Skip::Gone });
        };
        if entry.archive.is_some() {
            return Err(Failure::Replaced { object: id.to_string() });
        }
        match due::missing(&entry, now) {
            Due::Not(Skip::NotYet) => return self.not_yet(id),
            Due::Not(reason) => return Ok(Handled::Skipped { name: id.to_string(), reason }),
            Due::Await => return self.wait_for(id, Skip::NotYet).await,
            Due::Anew | Due::GoOn(_) | Due::Ask(_) => {}
        }
        let Some(manifest) = self.manifest(&entry).await? else {
            return Ok(Handled::Skipped { name: id.to_string(), reason: Skip::Gone });
        };
        let verdict = Verdict::missing(&manifest, now, verifier());
        let took = SignedDuration::ZERO;
        self.settle(Judged { id: id.clone(), verdict, read: 0, rounds: 1, took, sizes: None }).await
    }

    /// Marks an archive of ours whose manifest never came. The mark tells retention, which may not read archives, that
    /// the archive is ours. It does not count as a damaged backup, because it never was a backup.
    async fn uncommitted(&self, entry: &Entry, head: &Head, now: Timestamp) -> Result<Handled, Failure> {
        let id = &entry.id;
        match due::uncommitted(entry, &head.object, now) {
            Due::Await => return self.wait_for(id, Skip::Uncommitted).await,
            Due::Not(reason) => return Ok(Handled::Skipped { name: id.to_string(), reason }),
            Due::Anew | Due::Ask(_) | Due::GoOn(_) => {}
        }
        let key = self.cloud.repository.layout().damaged(id);
        self.cloud.store(&key, Verdict::uncommitted(&head.object, now, verifier()).to_json()).await?;
        Ok(Handled::Skipped { name: id.to_string(), reason: Skip::Uncommitted })
    }

    /// In a vault the archive's own arrival is an event. Elsewhere the manifest's is tried again.
    fn not_yet(&self, id: &BackupId) -> Result<Handled, Failure> {
        let object = id.to_string();
        if self.cloud.repository.layout().is_vault() {
            return Ok(Handled::Skipped { name: object, reason: Skip::NotYet });
        }
        Err(Failure::NotYet { object })
    }

    /// Notes, in a vault, since when something of a backup is awaited.
    async fn wait_for(&self, id: &BackupId, reason: Skip) -> Result<Handled, Failure> {
        let key = self.cloud.repository.layout().record(id, Record::Awaited);
        self.cloud.repository.put_over(&key, br#"{"version":1}"#.as_slice()).await?;
        Ok(Handled::Skipped { name: id.to_string(), reason })
    }

    /// Whether a verdict is about the archive that is there, and about what the manifest says that is there.
    async fn is_about(&self, verdict: &Object, entry: &Entry) -> Result<bool, Failure> {
        let verdict = match self.cloud.repository.verdict(verdict).await {
            Ok(verdict) => verdict,
            // Of a later version of this function, say: it knew what it said.
            Err(Error::Document { .. }) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let was_early = entry.manifest.is_some() && (verdict.is_missing() || verdict.is_uncommitted());
        if was_early || entry.archive.as_ref().is_some_and(|archive| !verdict.is_about(archive)) {
            return Ok(false);
        }
        Ok(match self.promise(entry).await? {
            Promise::Manifest(manifest) if verdict.is_intact() => {
                verdict.digest.as_ref() == Some(&manifest.archive.digest)
            }
            Promise::Broken(_) => !verdict.is_intact(),
            Promise::Manifest(_) | Promise::None => true,
        })
    }

    async fn manifest(&self, entry: &Entry) -> Result<Option<Manifest>, Error> {
        let Some(listed) = &entry.manifest else { return Ok(None) };
        Ok(Some(self.cloud.repository.manifest(listed).await?))
    }

    /// Stores a saved place; its arrival wakes the next invocation.
    pub(super) async fn save(&self, entry: &Entry, place: &Place) -> Result<Handled, Failure> {
        place.put(&self.cloud.repository, &entry.id).await?;
        Ok(Handled::GoesOn { id: entry.id.clone(), position: place.position(), size: entry.size() })
    }
}

#[expect(clippy::disallowed_methods, reason = "Lambda's own variable: the function's name is no setting of ours")]
fn verifier() -> Verifier {
    let host = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "function".to_owned());
    Verifier { name: "function".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), host }
}
