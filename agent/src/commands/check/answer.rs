//! What `check` answers.

use std::fmt;

use catalog::freshness::{Drills, DrillsAsked, Finding, Freshness, check_drills};
use catalog::history::{Day, DayVerdict, History};
use catalog::shrink::HOLD;
use catalog::{Catalog, Entry, words};
use jiff::{SignedDuration, Timestamp};
use repository::Repository;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::printable;
use crate::commands::check::cloud::CloudSide;
use crate::commands::check::elsewhere::{Elsewhere, PlaceLine};
use crate::history;

/// `lastgood check --json`.
#[derive(Serialize)]
pub(crate) struct CheckAnswer {
    healthy: bool,
    pub(crate) repository: String,
    pub(crate) databases: Vec<Health>,
    /// What the AWS stack says of itself; null without one.
    cloud: Option<CloudSide>,
}

/// Who hears of the AWS stack, which is no database's.
pub(super) const STACK: &str = "the AWS stack";

/// The health of one database.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    pub(crate) database: String,
    pub(crate) healthy: bool,
    pub(crate) findings: Vec<Told>,
    /// When the database was retired; null while backups of it are expected.
    pub(crate) retired: Option<Timestamp>,
    pub(crate) newest_good: Option<Newest>,
    /// How old the newest good backup may be.
    #[serde(skip)]
    pub(super) max_age: SignedDuration,
    /// Good backups seen; there may be more, because counting stops at the required number.
    pub(super) good: usize,
    /// A backup newer than the newest good one that has not been verified yet.
    pub(crate) unverified: Option<String>,
    /// What was read back the longest time ago, of the backups that were seen and can be read.
    pub(super) oldest_verdict: Option<OldestVerdict>,
    /// Rows of the newest good backup, where its manifest could be read.
    #[serde(skip)]
    pub(super) rows: Option<u64>,
    /// The drill that is known.
    #[serde(skip)]
    pub(super) last_drill: Option<catalog::drill::LastDrill>,
    /// The last drill; null where there never was one, or its record can't be read.
    pub(super) drill: Option<Drill>,
    /// Backups that have lost rows or tables within the last 30 days, of those that were seen, which nobody has accepted.
    pub(crate) shrunk: Vec<String>,
    /// The newest good backup in each place of the settings; empty where one place was asked for.
    places: Vec<PlaceLine>,
    /// Which parts of 3-2-1 do not hold.
    three_two_one: Vec<String>,
    /// What is wrong, and is no reason to call it unhealthy: with the drills, where nobody asks for them.
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drill {
    pub(super) passed: bool,
    /// The backup that was restored.
    id: String,
    finished: Timestamp,
    age_seconds: i64,
    pub(super) last_passed: Option<Timestamp>,
    /// Why it did not pass.
    reason: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OldestVerdict {
    id: String,
    pub(super) verified: Timestamp,
    age_seconds: i64,
}

/// A finding, with its sentence.
#[derive(Serialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    pub(crate) finding: Finding,
    pub(crate) text: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Newest {
    pub(crate) id: String,
    pub(crate) instant: Timestamp,
    pub(crate) age_seconds: i64,
    pub(crate) size: u64,
}

impl CheckAnswer {
    pub(super) fn new(repository: &Repository, databases: Vec<Health>, cloud: Option<CloudSide>) -> Self {
        let is_heard = cloud.as_ref().is_none_or(|cloud| cloud.findings.is_empty());
        // Where nothing was chosen and nothing is there, everything is lost.
        let healthy = is_heard && !databases.is_empty() && databases.iter().all(|health| health.healthy);
        Self { healthy, repository: repository.display_name(), databases, cloud }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy
    }

    /// # Errors
    /// Exit 6 when there is no backup of any database, and so nothing to answer about.
    pub(crate) fn or_nothing(self) -> Result<Self, Failure> {
        self.nothing().map_or(Ok(self), Err)
    }

    /// That there is nothing to answer about.
    pub(super) fn nothing(&self) -> Option<Failure> {
        let text = format!("there are no backups of any database in {}", self.repository);
        let failure = Failure::new(Exit::Unhealthy, text).hint("make the first one with lastgood backup");
        self.databases.is_empty().then_some(failure)
    }

    /// Each note once, and of which database it is where there are several.
    fn write_notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
        for (health, note) in
            self.databases.iter().flat_map(|health| health.notes.iter().map(move |note| (health, note)))
        {
            match told.iter_mut().find(|(known, _)| known == note) {
                Some((_, names)) => names.push(&health.database),
                None => told.push((note, vec![&health.database])),
            }
        }
        let mut write = |note: &str, names: &[&str]| match names {
            _ if self.databases.len() == 1 => writeln!(f, "note: {note}"),
            [name] => writeln!(f, "note: {}: {note}", printable(name)),
            _ => writeln!(f, "note: {}: {note}", words::count(names.len() as u64, "database")),
        };
        told.iter().try_for_each(|(note, names)| write(note, names))
    }

    /// What is wrong with the AWS stack; `None`: nothing. And `None` where there is no stack.
    pub(super) fn stack_failure(&self) -> Option<Option<Failure>> {
        self.cloud.as_ref().map(CloudSide::failure)
    }

    /// What is wrong with the AWS stack itself, a sentence each, and what to do about it.
    pub(crate) fn of_stack(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let findings = self.cloud.iter().flat_map(|cloud| &cloud.findings);
        findings.map(|finding| (finding.text.as_str(), finding.remedy()))
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
            max_age: SignedDuration::ZERO,
            good: catalog.good().count(),
            unverified: None,
            oldest_verdict: None,
            rows: None,
            last_drill: None,
            drill: None,
            shrunk: Vec::new(),
            places: Vec::new(),
            three_two_one: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds the backups that have lost rows. They are good: what is in them is a person's to judge.
    pub(super) fn shrinking(mut self, catalog: &Catalog, now: Timestamp) -> Self {
        let is_open = |entry: &&Entry| entry.shrunk_since().is_some_and(|since| now.duration_since(since) < HOLD);
        self.shrunk = catalog.entries.iter().filter(is_open).map(|entry| entry.id.to_string()).collect();
        let note = |id: &String| {
            format!("{id} has lost rows or tables (lastgood diff {id}~1 {id}); if that is right: lastgood accept {id}")
        };
        self.notes.extend(self.shrunk.iter().map(note));
        self
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

    /// Adds what the other places have. It fails nothing.
    pub(super) fn having(mut self, elsewhere: Elsewhere) -> Self {
        self.places = elsewhere.places;
        self.three_two_one = elsewhere.gaps;
        self.notes.extend(elsewhere.notes);
        self
    }

    /// Whether backups of it are still made.
    pub(super) fn is_expected(&self) -> bool {
        self.retired.is_none()
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// Whether something is to be seen to. That 3-2-1 doesn't hold is how the places were chosen.
    pub(super) fn is_worth_a_warning(&self) -> bool {
        self.notes.len() > usize::from(!self.three_two_one.is_empty())
    }

    /// What is wrong with it.
    pub(super) fn failure(&self) -> Option<Failure> {
        let texts: Vec<&str> = self.findings.iter().map(|told| told.text.as_str()).collect();
        (!self.healthy).then(|| Failure::new(Exit::Unhealthy, texts.join("; ")))
    }

    /// Adds the drills. They count where one is asked for, and backups still come.
    pub(super) fn drilled(mut self, drills: &Drills, max_age: Option<SignedDuration>, now: Timestamp) -> Self {
        self.last_drill = drills.last().cloned();
        self.drill = drills.last().map(|last| Drill {
            passed: last.passed,
            id: last.backup.clone(),
            finished: last.finished,
            age_seconds: now.duration_since(last.finished).as_secs(),
            last_passed: last.last_passed,
            reason: last.reason.clone(),
        });
        let asked = DrillsAsked { max_age, since: None };
        let finding = check_drills(&self.database, drills, asked, now).filter(|_| self.retired.is_none());
        let Some(finding) = finding else { return self };
        if max_age.is_some() {
            self.healthy = false;
            self.findings.push(Told { text: finding.to_string(), finding });
        } else {
            self.notes.push(finding.to_string());
        }
        self
    }

    /// How it is today, as the history has it.
    pub(super) fn day(&self, now: Timestamp) -> History {
        let verdict = DayVerdict::of(self.findings.iter().map(|told| &told.finding));
        let newest = self.newest_good.as_ref();
        let day = Day {
            backup: newest.and_then(|newest| newest.id.rsplit('/').next()).map(str::to_owned),
            made: newest.map(|newest| newest.instant),
            size: newest.map(|newest| newest.size),
            rows: self.rows,
            ..Day::at(now, verdict)
        };
        let drills = history::drills(self.last_drill.as_ref());
        History { days: vec![day], drills, ..History::new(&self.database) }
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
                let drill = self.drill.as_ref().filter(|drill| drill.passed).map_or_else(String::new, |drill| {
                    format!(", restored and compared {}", words::age(SignedDuration::from_secs(drill.age_seconds)))
                });
                format!("newest good backup made {age}, {}, {good} seen{verdict}{drill}", words::size(newest.size))
            }
        }
    }
}

impl fmt::Display for CheckAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.databases.iter().filter_map(|health| Some((health, health.findings.first()?)));
        let of_databases = first.map(|(health, told)| format!("{}: {}", printable(&health.database), told.text));
        let of_cloud =
            self.cloud.iter().flat_map(|cloud| &cloud.findings).map(|told| format!("the AWS stack: {}", told.text));
        let unhealthy: Vec<String> =
            self.nothing().map(|failure| failure.error).into_iter().chain(of_databases).chain(of_cloud).collect();
        match (unhealthy.as_slice(), self.databases.as_slice()) {
            ([], [one]) => writeln!(f, "HEALTHY: {}: {}", printable(&one.database), one.state()),
            ([], all) => {
                writeln!(f, "HEALTHY: {} have recent good backups", words::count(all.len() as u64, "database"))
            }
            (texts, _) => writeln!(f, "UNHEALTHY: {}", texts.join("; ")),
        }?;
        self.write_notes(f)?;
        if self.databases.len() > 1 || !self.healthy {
            writeln!(f, "\n{}", self.repository)?;
            self.databases.iter().try_for_each(|health| health.fmt(f))?;
            self.cloud.iter().try_for_each(|cloud| cloud.fmt(f))?;
        }
        Ok(())
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.healthy { "healthy  " } else { "UNHEALTHY" };
        writeln!(f, "  {word}  {}: {}", printable(&self.database), self.state())?;
        self.findings.iter().try_for_each(|told| writeln!(f, "             {}", told.text))?;
        match &self.unverified {
            Some(name) if !self.healthy => {
                writeln!(f, "             {name} is newer but not verified yet: lastgood verify {name}")
            }
            _ => Ok(()),
        }
    }
}
