//! What trials came to, kept in a file: a run that was ended goes on where it was.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::case::{Role, Way};
use super::judge::Verdict;
use super::plan::Trial;
use crate::{agent, tools};

/// One trial's result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Of the case's files, the agent's binary and the runner's sources.
    key: u64,
    /// The case.
    pub case: String,
    /// The way.
    pub way: Way,
    /// The role.
    pub role: Role,
    /// PostgreSQL's major version.
    pub version: u32,
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took.
    pub seconds: f64,
}

impl Record {
    /// A result that isn't of a run.
    #[cfg(test)]
    pub(super) fn of(case: &str, (way, role, version): (Way, Role, u32), verdict: Verdict) -> Record {
        Record { key: 0, case: case.to_owned(), way, role, version, verdict, seconds: 0.0 }
    }
}

/// The file, and what was in it.
pub struct Results {
    file: PathBuf,
    binaries: u64,
    known: Mutex<HashMap<String, Record>>,
}

impl Results {
    /// Reads the results of this agent from `file`, if it is there.
    pub fn read(file: &Path) -> Results {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = std::fs::read_to_string(file).unwrap_or_default();
        // A line that a killed run has half written is no result.
        let records = text.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok());
        let known = records.map(|record| (title(&record), record)).collect();
        let mut hasher = DefaultHasher::new();
        std::fs::read(agent::binary()).unwrap().hash(&mut hasher);
        // Not the runner's binary: building the agent may replace the one that runs.
        let sources = std::fs::read_dir(tools::root().join("tests/src/wild")).unwrap();
        let mut sources: Vec<PathBuf> = sources.map(|entry| entry.unwrap().path()).collect();
        sources.sort();
        sources.iter().for_each(|file| std::fs::read(file).unwrap().hash(&mut hasher));
        Results { file: file.to_owned(), binaries: hasher.finish(), known: Mutex::new(known) }
    }

    /// What this trial came to in an earlier run, with the same agent and the same case.
    pub fn of(&self, trial: &Trial<'_>) -> Option<Record> {
        let known = self.known.lock().unwrap();
        known.get(&trial.title()).filter(|record| record.key == self.key(trial)).cloned()
    }

    /// Keeps a result.
    pub fn add(&self, trial: &Trial<'_>, verdict: Verdict, seconds: f64) -> Record {
        let Trial { case, way, role, version } = *trial;
        let record = Record { key: self.key(trial), case: case.name.clone(), way, role, version, verdict, seconds };
        let mut known = self.known.lock().unwrap();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.file).unwrap();
        writeln!(file, "{}", serde_json::to_string(&record).unwrap()).unwrap();
        known.insert(trial.title(), record.clone());
        record
    }

    fn key(&self, trial: &Trial<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.binaries, trial.case.digest).hash(&mut hasher);
        hasher.finish()
    }
}

fn title(record: &Record) -> String {
    format!("{} · {} · {} · {}", record.case, record.way.name(), record.role.name(), record.version)
}
