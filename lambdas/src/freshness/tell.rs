//! Tells people: at once what is new, each day what stands, on Mondays how all is.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use catalog::status::Health;
use catalog::watch::reminder;
use catalog::{BackupId, StatusRecord, Verdict};
use jiff::Timestamp;
use repository::Error;

use super::found::{Found, texts};
use super::limits::INTERVAL;
use super::measure::Sign;
use super::standing::is_withheld;
use crate::findings::{Damaged, Gauge, LastGood, Standing, Trouble};
use crate::message::{self, Digest, Message};
use crate::{Cloud, Failure};

/// How many damaged backups are looked into for one message; it only counts the rest.
const LOOKED_INTO: usize = 20;
/// How many are looked into at most because nothing shows yet that they are backups; the next run goes on.
const UNSURE: usize = 200;

/// Tells what was found, and remembers that it did.
#[derive(Clone, Debug)]
pub(super) struct Teller {
    cloud: Cloud,
    /// What this process has told: it counts where the record of it can't be stored.
    told: Arc<Mutex<BTreeSet<String>>>,
}

/// A message, and what is told when it is out.
struct News {
    message: Option<Message>,
    codes: Vec<String>,
}

impl Teller {
    pub(super) fn new(cloud: Cloud) -> Self {
        Self { cloud, told: Arc::default() }
    }

    /// What the run before this one has left; nothing, where it is broken: it is written anew then.
    ///
    /// # Errors
    /// When it can't be read now: whoever told then, or wrote, would forget who is expected and what was told.
    pub(super) async fn last(&self, now: Timestamp) -> Result<Health, Failure> {
        match self.cloud.repository.health().await {
            Ok(health) => Ok(health.unwrap_or_else(|| Health::at(now))),
            Err(Error::Document { source, .. }) if source.is_broken() => {
                tracing::warn!("what was told before is broken, and is replaced: {source}");
                Ok(Health::at(now))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sends what is due at `at`, and stores what was told.
    pub(super) async fn tell(
        &self,
        found: &Found,
        standing: &[Standing],
        at: Timestamp,
        now: Timestamp,
    ) -> Vec<Failure> {
        let mut told: BTreeSet<String> = found.last.told.iter().cloned().collect();
        told.extend(self.remembered());
        let (mut failures, mut known) = (Vec::new(), Vec::new());
        for news in self.news(found, standing, &told, now).await {
            match news {
                Ok(News { message, codes }) => match self.send(message.as_ref()).await {
                    Ok(()) => known.extend(codes),
                    Err(failure) => failures.push(failure),
                },
                Err(failure) => failures.push(failure),
            }
        }
        let mut reminded = found.last.reminded;
        // Before the first one it is due since somebody looks.
        if let Some((kind, due)) = reminder(at, reminded.or(found.last.since), INTERVAL) {
            let digest = Digest { kind, repository: self.cloud.name(), gauges: &found.measured.gauges, standing, now };
            let next = found.measured.prune.as_ref().map_or(&[][..], |run| &run.next);
            match self.send(message::digest(&digest, next, found.listeners).as_ref()).await {
                Ok(()) => reminded = Some(due),
                Err(failure) => failures.push(failure),
            }
        }
        told.extend(known);
        let current = standing.iter().map(|standing| standing.code.clone());
        let damaged = found.measured.damaged.values().map(|(id, sign)| code(id, *sign));
        let current: BTreeSet<String> = current.chain(damaged).collect();
        told.retain(|code| current.contains(code) || is_withheld(code, &found.measured.gauges));
        let health = health(found, standing, told.clone(), reminded, now);
        let kept = self.keep(&health).await;
        // What is stored is what counts: another process may have told more since, or that it is over.
        self.remember(if kept.is_ok() { BTreeSet::new() } else { told });
        failures.extend(kept.err());
        failures
    }

    async fn send(&self, message: Option<&Message>) -> Result<(), Failure> {
        match message {
            Some(message) => self.cloud.tell(message).await,
            None => Ok(()),
        }
    }

    /// What was not told yet, in at most three messages.
    async fn news(
        &self,
        found: &Found,
        standing: &[Standing],
        told: &BTreeSet<String>,
        now: Timestamp,
    ) -> Vec<Result<News, Failure>> {
        let new: Vec<&Standing> =
            standing.iter().filter(|standing| standing.at_once && !told.contains(&standing.code)).collect();
        let is_stale = |standing: &&&Standing| standing.code.starts_with("stale/");
        let stale: Vec<String> = new.iter().filter(is_stale).map(|standing| standing.code.clone()).collect();
        let gauges: Vec<&Gauge> =
            found.measured.gauges.iter().filter(|gauge| stale.contains(&format!("stale/{}", gauge.database))).collect();
        let others: Vec<&Standing> = new.iter().filter(|standing| !is_stale(standing)).copied().collect();
        let codes = others.iter().map(|standing| standing.code.clone()).collect();
        let others = News { message: message::news(&others, self.cloud.name()), codes };
        vec![
            Ok(News { message: message::stale(&gauges, now), codes: stale }),
            self.damaged(found, told, now).await,
            Ok(others),
        ]
    }

    /// The message about the damaged backups that nobody was told of.
    async fn damaged(&self, found: &Found, told: &BTreeSet<String>, now: Timestamp) -> Result<News, Failure> {
        let new = found.measured.damaged.values().rev().filter(|(id, sign)| !told.contains(&code(id, *sign)));
        let (mut damaged, mut codes) = (Vec::new(), Vec::new());
        let mut last_good: HashMap<String, Option<LastGood>> = HashMap::new();
        let mut unsure = 0;
        for (id, sign) in new {
            let is_backup = *sign != Sign::Unsure;
            unsure += usize::from(!is_backup);
            if unsure > UNSURE {
                break;
            }
            codes.push(code(id, *sign));
            let database = id.stem.database().into_owned();
            let looked_into = damaged.len() < LOOKED_INTO || !is_backup;
            // What an older verdict says is about other bytes.
            let verdict = if looked_into && *sign != Sign::Changed { self.verdict(id).await? } else { None };
            // Retention has seen it, and it is gone since, or nobody has judged it yet: if it is, the listing shows it.
            if verdict.is_none() && !is_backup {
                codes.pop();
                continue;
            }
            // One that was never committed never was a backup: it is known now, and nobody needs to hear of it.
            if verdict.as_ref().is_some_and(Verdict::is_uncommitted) {
                continue;
            }
            if looked_into && !last_good.contains_key(&database) {
                last_good.insert(database.clone(), self.last_good(found, &database, now).await?);
            }
            let last_good = last_good.get(&database).cloned().flatten();
            damaged.push(self.of(id, *sign, verdict, last_good));
        }
        Ok(News { message: message::damaged(&damaged, now), codes })
    }

    fn of(&self, id: &BackupId, sign: Sign, verdict: Option<Verdict>, last_good: Option<LastGood>) -> Damaged {
        let repository = &self.cloud.repository;
        let key = verdict.as_ref().map(|verdict| verdict.identity.key.clone());
        let key = key.unwrap_or_else(|| repository.layout().manifest(id));
        let findings = match verdict {
            Some(verdict) => verdict.findings.iter().map(ToString::to_string).collect(),
            None if sign == Sign::Changed => {
                vec![
                    "its archive was written again after it had been judged: the next sweep judges what is there"
                        .to_owned(),
                ]
            }
            None => vec!["its archive is gone".to_owned()],
        };
        let database = id.stem.database().into_owned();
        Damaged { object: repository.object_name(&key), database, findings, last_good }
    }

    async fn verdict(&self, id: &BackupId) -> Result<Option<Verdict>, Failure> {
        let repository = &self.cloud.repository;
        let json = repository.read_key(&repository.layout().damaged(id)).await?;
        Ok(json.and_then(|json| Verdict::from_json(&json).ok()))
    }

    async fn last_good(&self, found: &Found, database: &str, now: Timestamp) -> Result<Option<LastGood>, Failure> {
        let known = |gauge: &&Gauge| gauge.database == database && gauge.trouble.is_none();
        if let Some(gauge) = found.measured.gauges.iter().find(known) {
            return Ok(gauge.newest_good.clone());
        }
        Ok(self.cloud.repository.newest_good(database, now).await?.as_ref().map(LastGood::from))
    }

    fn remembered(&self) -> BTreeSet<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, told: BTreeSet<String>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// Stores what was found and told, for the next run and for whoever asks from a host.
    async fn keep(&self, health: &Health) -> Result<(), Failure> {
        let key = self.cloud.repository.layout().status(StatusRecord::Freshness);
        self.cloud.store(&key, health.to_json()).await
    }
}

fn health(
    found: &Found,
    standing: &[Standing],
    told: BTreeSet<String>,
    reminded: Option<Timestamp>,
    now: Timestamp,
) -> Health {
    // One that is only named by the stack needs no mark, and is not missed when it is named no more.
    let is_unknown = |gauge: &Gauge| matches!(gauge.trouble, Some(Trouble::Unknown(_)));
    let is_marked = |gauge: &&Gauge| gauge.since.is_some() || is_unknown(gauge);
    let expected = found.measured.gauges.iter().filter(is_marked);
    Health {
        measured: now,
        listeners: found.listeners.map(|listeners| listeners.confirmed),
        unconfirmed: found.listeners.map(|listeners| listeners.unconfirmed),
        standing: texts(standing),
        expected: expected.map(|gauge| gauge.database.clone()).collect(),
        unmarked: found.measured.unmarked.clone(),
        since: Some(found.since),
        reminded,
        told: told.into_iter().collect(),
        heard_elsewhere: found.heard_elsewhere,
        further: found.measured.further.clone(),
        unknown: found.last.unknown.clone(),
    }
}

/// The name of a damaged backup among what was told.
pub(super) fn code(id: &BackupId, sign: Sign) -> String {
    // What is found when it is judged again is news.
    let what = if sign == Sign::Changed { "changed" } else { "damaged" };
    format!("{what}/{id}")
}
