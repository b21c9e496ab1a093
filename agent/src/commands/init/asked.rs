//! What is to be set up, by flags, or by a person who is asked: each proposal stands in brackets, and says where it comes from.

mod database;
mod identity;
mod place;
mod schedule;

use std::path::PathBuf;

use super::found::Found;
use super::found::clusters::Cluster;
use super::found::crontabs::Crontab;
use super::machine::Machine;
use super::offer::Lines;
use super::stack::Stack;
use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::{InitArgs, Schedule};
use crate::interrupt::Interrupt;
use crate::settings::Given;

/// What decides about the answers.
pub(super) struct Asker<'a> {
    pub(super) args: &'a InitArgs,
    pub(super) given: &'a Given,
    pub(super) machine: &'a Machine,
    pub(super) found: &'a Found,
    pub(super) stack: Option<&'a Stack>,
    pub(super) interrupt: &'a Interrupt,
}

/// What is to be set up.
pub(super) struct Wish {
    pub(super) database: Source,
    pub(super) place: Places,
    pub(super) schedule: Schedule,
    /// Those whose lines go, as somebody agreed.
    pub(super) replaced: Vec<Crontab>,
    /// The timers that are disabled for it, as somebody agreed.
    pub(super) disabled: Vec<&'static str>,
}

/// The database, and where its name comes from.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) lines: Lines,
    pub(super) from: String,
    /// The server of this machine that it is on, where its socket leads there without a login.
    pub(super) cluster: Option<Cluster>,
}

/// Where backups go.
#[derive(Clone, Default)]
pub(super) struct Places {
    pub(super) directory: Option<PathBuf>,
    /// The bucket and who stores in it, and whatever else was taken over with it.
    pub(super) lines: Lines,
    pub(super) from: String,
}

impl Asker<'_> {
    /// Every answer.
    ///
    /// # Errors
    /// Exit 2 when one is missing and nobody can be asked, or is no answer; exit 1 when the input ends.
    pub(super) fn ask(&self) -> Result<Wish, Failure> {
        if !self.may_ask() && !self.args.yes && !self.args.dry_run {
            return Err(self.nobody("a yes to what would be done"));
        }
        let database = self.database()?;
        let place = self.place()?;
        let (schedule, replaced, disabled) = self.schedule()?;
        Ok(Wish { database, place, schedule, replaced, disabled })
    }

    fn may_ask(&self) -> bool {
        !self.args.yes && prompt::has_somebody()
    }

    /// That an answer is missing, with the command that has it.
    fn nobody(&self, missing: &str) -> Failure {
        let database = self.given.databases.first().cloned().or_else(|| {
            let mut names = self.found.clusters.iter().flat_map(|cluster| &cluster.databases);
            names.next().map(|database| database.name.clone())
        });
        let database = catalog::words::shell_word(&database.unwrap_or_else(|| "NAME".to_owned())).to_string();
        let error = format!("missing: {missing}; nobody can be asked, because stdin is not a terminal");
        Failure::new(Exit::Usage, error)
            .hint(format!("lastgood init --yes --database {database} --directory {}", self.usual_folder().display()))
    }

    /// A line, or what is proposed where nobody is to be asked.
    fn line(&self, question: &str, proposed: &str) -> Result<String, Failure> {
        if self.may_ask() { prompt::line(question, proposed, self.interrupt) } else { Ok(proposed.to_owned()) }
    }

    /// Yes or no; with `--yes` yes.
    pub(super) fn agrees(&self, question: &str, proposed: bool) -> Result<bool, Failure> {
        if !self.may_ask() {
            return Ok(self.args.yes);
        }
        loop {
            let answer = prompt::line(question, if proposed { "yes" } else { "no" }, self.interrupt)?;
            match answer.to_lowercase().as_str() {
                "yes" | "y" => return Ok(true),
                "no" | "n" => return Ok(false),
                _ => say("Answer yes or no."),
            }
        }
    }

    /// What the environment sets.
    fn set(&self, name: &str) -> Option<String> {
        let value = self.given.environment.get(name)?.to_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    }
}

/// A line for the person who is asked.
fn say(line: &str) {
    crate::answers::report::Report::default().tell(line);
}
