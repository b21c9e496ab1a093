//! What a restore did, and the way back.

use catalog::words;
use std::fmt;
use std::time::Duration;

use ::archive::{Census, TableCensus};
use postgres::quote::identifier;
use serde::Serialize;

use crate::answers::census;
use crate::answers::failure::Failure;
use crate::commands::restore::checks;
use crate::commands::restore::job::Job;
use crate::commands::restore::left_out::Difference;
use crate::commands::restore::plan::way::Mode;
use crate::commands::restore::reading::Through;
use crate::commands::restore::roles::CreatedRole;

/// What a restore has done.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) census: Census,
    /// The dump's own length, in bytes.
    pub(crate) dumped: u64,
    /// Why the clients didn't start again, if they didn't.
    pub(crate) clients: Option<Failure>,
    /// What the old database is called now, by swap.
    pub(crate) old_database: Option<String>,
    /// The safety backup's name, in place.
    pub(crate) safety_backup: Option<String>,
}

impl Restored {
    /// What was read, and what came of starting the clients again.
    pub(crate) fn new(through: Through, clients: Result<(), Failure>) -> Self {
        let (census, dumped) = (through.walked.census, through.dumped);
        Self { census, dumped, clients: clients.err(), old_database: None, safety_backup: None }
    }
}

/// A restore that is done, as it is answered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestoreAnswer {
    backup: String,
    from: String,
    database: String,
    mode: Mode,
    old_database: Option<String>,
    safety_backup: Option<String>,
    tables: usize,
    /// `None` where they could not be counted.
    rows: Option<u64>,
    dumped_bytes: u64,
    seconds: f64,
    /// How many checks of the user's own hold.
    checks: usize,
    /// The roles that the server lacked.
    created_roles: Vec<CreatedRole>,
    /// With `--keep-going`: what could not be made as it was.
    left_out: Vec<Difference>,
    warnings: Vec<String>,
    /// Roles that were there and can't log in, though the backup's could.
    #[serde(skip)]
    shut_out: Vec<String>,
    /// The database, where it is another one than the settings name.
    #[serde(skip)]
    into: Option<String>,
}

impl RestoreAnswer {
    /// The answer about a job that took so long, by a clock that cannot be set.
    pub(crate) fn new(job: &Job, restored: &Restored, took: Duration) -> Self {
        let (facts, chosen) = (&job.facts, &job.plan.chosen);
        let is_meant = |table: &&TableCensus| {
            let (schema, name) = table.names();
            chosen.has(schema, name)
        };
        let tables = restored.census.tables.iter().filter(is_meant);
        let restored_census = Census { tables: tables.cloned().collect(), ..Census::default() };
        Self {
            backup: facts.backup.name.clone(),
            from: facts.backup.place.clone(),
            database: facts.target.name.clone(),
            mode: job.plan.way.mode(),
            old_database: restored.old_database.clone(),
            safety_backup: restored.safety_backup.clone(),
            tables: if chosen.is_without_rows() { restored.census.tables.len() } else { restored_census.tables.len() },
            rows: restored_census.counted_rows(),
            dumped_bytes: if chosen.is_all() { restored.dumped } else { restored_census.bytes() },
            seconds: took.as_secs_f64(),
            checks: checks::asked(&job.wish.checks).count(),
            created_roles: facts.births.created(),
            left_out: job.left_out.all(),
            warnings: job.plan.warnings.clone(),
            shut_out: facts.births.shut_out.clone(),
            into: job.wish.into.then(|| facts.target.name.clone()),
        }
    }
}

impl RestoreAnswer {
    /// What is to be typed so that new roles can log in.
    fn roles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.created_roles.is_empty() {
            let names: Vec<&str> = self.created_roles.iter().map(|role| role.name.as_str()).collect();
            writeln!(f, "created the roles {}", names.join(", "))?;
        }
        let waiting = self.created_roles.iter().filter(|role| role.waits_for_password).map(|role| role.name.as_str());
        let said = "they have no password and cannot log in; for those that have to, in psql:";
        logins(f, said, waiting)?;
        let said = "these were there and cannot log in, though the backup's could; for those that have to, in psql:";
        logins(f, said, self.shut_out.iter().map(String::as_str))
    }
}

fn logins<'a>(f: &mut fmt::Formatter<'_>, said: &str, roles: impl Iterator<Item = &'a str>) -> fmt::Result {
    let mut roles = roles.peekable();
    if roles.peek().is_some() {
        writeln!(f, "{said}")?;
    }
    for role in roles {
        let name = identifier(role);
        writeln!(f, "  \\password {name}")?;
        writeln!(f, "  ALTER ROLE {name} LOGIN;")?;
    }
    Ok(())
}

impl fmt::Display for RestoreAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "restored {} from {}: {}, {}, {} in {:.1} s, all {}checked",
            self.database,
            self.backup,
            words::count(self.tables as u64, "table"),
            census::rows(self.rows),
            words::size(self.dumped_bytes),
            self.seconds,
            if self.rows.is_some() { "" } else { "else " }
        )?;
        if !self.left_out.is_empty() {
            let count = words::count(self.left_out.len() as u64, "thing");
            writeln!(f, "all rows are there; {count} could not be made as in the backup:")?;
            self.left_out.iter().try_for_each(|difference| writeln!(f, "  {difference}"))?;
        }
        if self.checks > 0 {
            writeln!(f, "{} of RESTORE_CHECKS passed", words::count(self.checks as u64, "check"))?;
        }
        if let Some(old) = &self.old_database {
            let database = words::shell_word(&self.database);
            writeln!(f, "the old database stays as {old}; to go back: lastgood restore --undo --database {database}")?;
            writeln!(f, "to drop it when all is well: lastgood restore --drop-old --database {database}")?;
        }
        if let Some(safety) = &self.safety_backup {
            let database = match &self.into {
                Some(name) => format!(" --database {}", words::shell_word(name)),
                None => String::new(),
            };
            writeln!(f, "to go back: lastgood restore {safety}{database}")?;
        }
        self.roles(f)
    }
}
