//! What an undo will do, and what it did, in words and in JSON.

use std::fmt;

use catalog::words;
use postgres::database::live::LiveDatabase;
use postgres::database::properties::lacking;
use postgres::{Error, Psql};
use serde::Serialize;

use crate::answers::failure::Failure;

/// What an undo will do.
#[derive(Debug)]
pub(super) struct Plan {
    /// The name that the old database gets back.
    pub(super) name: String,
    /// In words, for the plan: `database shop on db1 as admin`.
    pub(super) place: String,
    /// Of the database that has the name now, in bytes, where it may be asked.
    pub(super) size: Option<u64>,
    pub(super) old: LiveDatabase,
    /// How long ago the old one was put aside.
    pub(super) age: Option<String>,
    /// What the one that has the name now will be called; `None`: there is none.
    pub(super) aside: Option<String>,
    /// Further old databases, newest first.
    pub(super) others: Vec<String>,
    /// The shell command that stops what uses the database.
    pub(super) stops: Option<String>,
    pub(super) warnings: Vec<String>,
}

/// An undo as `--json` answers it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UndoDocument<'a> {
    database: &'a str,
    back: &'a str,
    aside: Option<&'a str>,
    /// False with `--dry-run`.
    done: bool,
    others: &'a [String],
    warnings: &'a [String],
}

impl<'a> UndoDocument<'a> {
    /// Of a plan that was carried out, or not.
    pub(super) fn of(plan: &'a Plan, done: bool) -> Self {
        Self {
            database: &plan.name,
            back: &plan.old.name,
            aside: plan.aside.as_deref(),
            done,
            others: &plan.others,
            warnings: &plan.warnings,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |size: Option<u64>| size.map_or("of unknown size".to_owned(), words::size);
        let age = self.age.as_ref().map_or(String::new(), |age| format!(", put aside {age}"));
        writeln!(f, "back      {} ({}{age}) gets the name {} again", self.old.name, size(self.old.size), self.name)?;
        match &self.aside {
            Some(aside) => {
                writeln!(f, "aside     {} ({}) is kept as {aside}", self.place, size(self.size))?;
                writeln!(f, "rows      those written since the restore stay in {aside}")?;
            }
            None => writeln!(f, "aside     nothing: {} does not exist", self.place)?,
        }
        if !self.others.is_empty() {
            writeln!(f, "others    {} (lastgood restore --undo NAME)", self.others.join(", "))?;
        }
        if let Some(command) = &self.stops {
            writeln!(f, "stops     {command}")?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning   {warning}"))
    }
}

/// What was done.
pub(super) struct Done<'a>(pub(super) &'a Plan);

impl fmt::Display for Done<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { name, old, aside, .. } = self.0;
        writeln!(f, "{name} is again the database that was kept as {}", old.name)?;
        let Some(aside) = aside else { return Ok(()) };
        let database = words::shell_word(name);
        writeln!(f, "what had the name stays as {aside}, with every row written since the restore")?;
        writeln!(f, "to change the names once more: lastgood restore --undo --database {database}")?;
        writeln!(f, "to drop it when all is well: lastgood restore --drop-old --database {database}")
    }
}

/// What changes hands with the names, and what differs between the two.
///
/// # Errors
/// When the server can't be asked.
pub(super) fn warnings(
    maintenance: &Psql,
    living: Option<&LiveDatabase>,
    old: &LiveDatabase,
    name: &str,
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    for slot in &old.slots {
        warnings.push(format!("replication slot {slot} belongs to the old database, and sends its changes"));
    }
    let Some(living) = living else { return Ok(warnings) };
    for slot in &living.slots {
        warnings
            .push(format!("replication slot {slot} stays with the restored database: set it up again after the undo"));
    }
    for subscription in &living.subscriptions {
        warnings.push(format!(
            "subscription {subscription} stays with the restored database: set it up again after the undo"
        ));
    }
    let asked = |one: &LiveDatabase, other: &LiveDatabase| {
        lacking(maintenance, one, other, name).map_err(|e| Failure::from(Error::unreachable(maintenance, &e)))
    };
    if living.owner != old.owner {
        warnings.push(format!("{name} belongs to {} now, and will belong to {} again", living.owner, old.owner));
    }
    for statement in asked(living, old)? {
        warnings
            .push(format!("the old database has not got this; run it after the undo if it shall hold: {statement}"));
    }
    for statement in asked(old, living)? {
        warnings.push(format!("the old database still has this: {statement}"));
    }
    Ok(warnings)
}
