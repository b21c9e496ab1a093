//! What `check` answers.

use std::fmt;

use catalog::freshness::{Finding, Freshness};
use catalog::words;
use catalog::{Catalog, Entry};
use jiff::{SignedDuration, Timestamp};
use repository::Repository;
use serde::Serialize;

/// `lastgood check --json`.
#[derive(Serialize)]
pub(super) struct CheckAnswer {
    healthy: bool,
    repository: String,
    databases: Vec<Health>,
}

/// The health of one database.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    database: String,
    healthy: bool,
    findings: Vec<Told>,
    /// When the database was retired; null while backups of it are expected.
    retired: Option<Timestamp>,
    newest_good: Option<Newest>,
    /// Good backups seen; there may be more, because counting stops at the required number.
    good: usize,
    /// A backup newer than the newest good one that has not been verified yet.
    unverified: Option<String>,
    /// What was read back the longest time ago, of the backups that were seen and can be read.
    oldest_verdict: Option<OldestVerdict>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OldestVerdict {
    id: String,
    verified: Timestamp,
    age_seconds: i64,
}

/// A finding, with its sentence.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    finding: Finding,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Newest {
    id: String,
    instant: Timestamp,
    age_seconds: i64,
    size: u64,
}

impl CheckAnswer {
    pub(super) fn new(repository: &Repository, databases: Vec<Health>) -> Self {
        let healthy = databases.iter().all(|health| health.healthy);
        Self { healthy, repository: repository.display_name(), databases }
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.healthy
    }
}

impl Health {
    pub(super) fn new(catalog: &Catalog, findings: Vec<Finding>, retired: Option<Timestamp>, now: Timestamp) -> Self {
        let size = catalog.newest_good(now).map_or(0, |entry| entry.size());
        let newest_good = match Freshness::of_good(catalog, now) {
            Freshness::Never => None,
            Freshness::Of { id, instant, age } => {
                Some(Newest { id: id.to_string(), instant, age_seconds: age.as_secs(), size })
            }
        };
        let findings: Vec<Told> =
            findings.into_iter().map(|finding| Told { text: finding.to_string(), finding }).collect();
        Self {
            database: catalog.database.clone(),
            healthy: findings.is_empty(),
            findings,
            retired,
            newest_good,
            good: catalog.good().count(),
            unverified: None,
            oldest_verdict: None,
        }
    }

    /// Adds the oldest verdict.
    pub(super) fn dating(self, oldest: Option<(&Entry, Timestamp)>, now: Timestamp) -> Self {
        let oldest_verdict = oldest.map(|(entry, verified)| OldestVerdict {
            id: entry.id.to_string(),
            verified,
            age_seconds: now.duration_since(verified).as_secs(),
        });
        Self { oldest_verdict, ..self }
    }

    /// Adds the newer backup that has no verdict yet.
    pub(super) fn hinting(self, unverified: Option<String>) -> Self {
        Self { unverified, ..self }
    }

    fn state(&self) -> String {
        match (&self.newest_good, self.retired) {
            (_, Some(retired)) => format!("retired on {}: no backups are expected", retired.strftime("%Y-%m-%d")),
            (None, None) => "no good backup".to_owned(),
            (Some(newest), None) => {
                let age = words::age(SignedDuration::from_secs(newest.age_seconds));
                let good = words::count(self.good as u64, "good backup");
                let verdict = self.oldest_verdict.as_ref().map_or_else(String::new, |oldest| {
                    format!(", the oldest verdict {}", words::age(SignedDuration::from_secs(oldest.age_seconds)))
                });
                format!("newest good backup made {age}, {}, {good} seen{verdict}", words::size(newest.size))
            }
        }
    }
}

impl fmt::Display for CheckAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unhealthy: Vec<&Health> = self.databases.iter().filter(|health| !health.healthy).collect();
        match (unhealthy.as_slice(), self.databases.as_slice()) {
            ([], [one]) => writeln!(f, "HEALTHY: {}: {}", one.database, one.state()),
            ([], all) => {
                writeln!(f, "HEALTHY: {} have recent good backups", words::count(all.len() as u64, "database"))
            }
            (some, _) => {
                let first = some.iter().filter_map(|health| Some((health, health.findings.first()?)));
                let texts: Vec<String> =
                    first.map(|(health, told)| format!("{}: {}", health.database, told.text)).collect();
                writeln!(f, "UNHEALTHY: {}", texts.join("; "))
            }
        }?;
        if self.databases.len() > 1 || !self.healthy {
            writeln!(f, "\n{}", self.repository)?;
            self.databases.iter().try_for_each(|health| health.fmt(f))?;
        }
        Ok(())
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.healthy { "healthy  " } else { "UNHEALTHY" };
        writeln!(f, "  {word}  {}: {}", self.database, self.state())?;
        self.findings.iter().try_for_each(|told| writeln!(f, "             {}", told.text))?;
        match &self.unverified {
            Some(name) if !self.healthy => {
                writeln!(f, "             {name} is newer but not verified yet: lastgood verify {name}")
            }
            _ => Ok(()),
        }
    }
}
