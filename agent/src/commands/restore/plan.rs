//! What a restore will do, decided before anything is touched, and shown before anybody says yes.

use std::fmt;

use catalog::words;
use jiff::Timestamp;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::choose::{Chosen, Standing};
use crate::commands::restore::head::Head;
use crate::commands::restore::living::Living;
use crate::commands::restore::ownership::Ownership;
use crate::commands::restore::space::Space;
use crate::commands::restore::target::Target;

/// How the content gets under the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// A new database takes the name when it is whole.
    Swap,
    /// One transaction inside the living database.
    InPlace,
}

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) in_place: bool,
    /// `--into`: the target isn't the living database of the backup.
    pub(crate) into: bool,
    pub(crate) tables: Vec<String>,
    pub(crate) jobs: Option<usize>,
    pub(crate) skip_backup: bool,
    pub(crate) skip_services: bool,
    pub(crate) force: bool,
    pub(crate) trust_archive: bool,
    pub(crate) confirm: bool,
    pub(crate) dry_run: bool,
}

/// Decides between the two ways, and says why where it isn't the one that was asked for.
///
/// # Errors
/// Exit 1 when neither is possible; exit 2 when what was asked for contradicts itself.
pub(crate) fn mode(wish: &Wish, target: &Target, space: Option<Space>) -> Result<(Mode, Option<String>), Failure> {
    let Some(living) = &target.living else {
        return match (wish.in_place, target.role.creates_databases) {
            (true, _) => {
                Err(Failure::new(Exit::NotFound, format!("there is no database {} to restore in place", target.name))
                    .hint("without --in-place it is created"))
            }
            (false, true) => Ok((Mode::Swap, None)),
            (false, false) => Err(Failure::new(
                Exit::Failed,
                format!("there is no database {}, and the role {} may not create one", target.name, target.role.name),
            )
            .hint(format!("as a superuser: createdb --owner={} {}", target.role.name, target.name))),
        };
    };
    if wish.in_place {
        return Ok((Mode::InPlace, None));
    }
    let obstacle = if !target.role.creates_databases {
        Some(format!("the role {} may not create databases", target.role.name))
    } else if !target.role.superuser && !living.is_ours {
        Some(format!("the role {} may not rename {}, which belongs to {}", target.role.name, living.name, living.owner))
    } else {
        let short = space.filter(|space| !space.is_enough());
        short.map(|s| {
            format!(
                "the disk has no room for a second copy ({} free, {} needed)",
                words::size(s.free),
                words::size(s.needed)
            )
        })
    };
    Ok(obstacle.map_or((Mode::Swap, None), |why| (Mode::InPlace, Some(why))))
}

/// The whole plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    /// Why it is in place although nobody asked for that.
    pub(crate) why_in_place: Option<String>,
    pub(crate) ownership: Ownership,
    /// What the old database will be called.
    pub(crate) old_name: Option<String>,
    pub(crate) stop_command: Option<String>,
    /// What will be lost, left standing or different. One line each.
    pub(crate) warnings: Vec<String>,
    backup: String,
    made: String,
    replaced: String,
    wish: Wish,
}

impl Plan {
    #[expect(clippy::too_many_arguments, reason = "everything that was found out comes together here once")]
    pub(crate) fn new(
        chosen: &Chosen,
        head: &Head,
        target: &Target,
        wish: Wish,
        (mode, why_in_place): (Mode, Option<String>),
        ownership: Ownership,
        old_name: Option<String>,
        stop_command: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let mut plan = Self {
            mode,
            why_in_place,
            ownership,
            old_name,
            stop_command: stop_command.map(str::to_owned),
            warnings: Vec::new(),
            backup: backup(chosen),
            made: made(chosen, head, now),
            replaced: replaced(target),
            wish,
        };
        plan.warnings = plan.warn(chosen, target);
        plan
    }

    /// No safety backup is made.
    pub(crate) fn skips_backup(&self) -> bool {
        self.wish.skip_backup
    }

    fn warn(&self, chosen: &Chosen, target: &Target) -> Vec<String> {
        let mut warnings = Vec::new();
        match chosen.standing {
            Standing::Good => {}
            Standing::Unverified => {
                warnings.push("nobody has verified this backup: it is checked while it is restored".to_owned())
            }
            Standing::Guest => {
                warnings.push("no manifest tells what this backup holds: only its own form can be checked".to_owned())
            }
        }
        if let Ownership::Dropped(why) = &self.ownership {
            warnings.push(format!(
                "owners and privileges are left out, and all will belong to {}: {why}",
                target.role.name
            ));
        }
        if self.mode == Mode::InPlace && self.wish.skip_backup {
            warnings.push("no safety backup is made (--skip-backup): there will be no way back".to_owned());
        }
        if let (Mode::Swap, Some(living)) = (self.mode, &target.living) {
            warnings.extend(stays_behind("replication slot", &living.slots));
            warnings.extend(stays_behind("subscription", &target.content.subscriptions));
        }
        warnings
    }
}

fn stays_behind(what: &str, names: &[String]) -> Option<String> {
    let named = words::first_of(names, 1, " ");
    (!names.is_empty()).then(|| format!("{what} {named} stays with the old database: set it up anew after the restore"))
}

fn backup(chosen: &Chosen) -> String {
    let standing = match chosen.standing {
        Standing::Good => "good",
        Standing::Unverified => "unverified",
        Standing::Guest => "guest",
    };
    format!("{} ({standing}, {}) from {}", chosen.name, words::size(chosen.size), chosen.place)
}

fn made(chosen: &Chosen, head: &Head, now: Timestamp) -> String {
    let database = &head.header.database;
    let (server, pg_dump) = (version(&head.header.server_version), version(&head.header.pg_dump_version));
    let content = match &chosen.manifest {
        Some(manifest) => {
            let rows = manifest.census.rows();
            format!("{}, {}", words::count(manifest.census.tables.len() as u64, "table"), words::count(rows, "row"))
        }
        None => words::count(head.entries("TABLE DATA").count() as u64, "table"),
    };
    let age = words::age(now.duration_since(chosen.instant));
    format!(
        "{age} ({}) of {database} on PostgreSQL {server} by pg_dump {pg_dump}: {content}",
        words::minute(chosen.instant)
    )
}

/// Without the packager's own words behind it.
fn version(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or(text)
}

fn replaced(target: &Target) -> String {
    let place = target.psql.connection().place();
    let Some(Living { size, connections, .. }) = &target.living else {
        return format!("nothing: {place} doesn't exist and is created");
    };
    let size = size.map_or("of unknown size".to_owned(), words::size);
    format!(
        "{place}: {}, {size}, {}",
        words::count(target.content.tables, "table"),
        words::count(*connections, "connection")
    )
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "backup    {}", self.backup)?;
        writeln!(f, "made      {}", self.made)?;
        writeln!(f, "replaces  {}", self.replaced)?;
        match (self.mode, &self.old_name) {
            (Mode::Swap, Some(old)) => {
                let fate = if self.wish.into { "is dropped if it is still empty, else it " } else { "" };
                writeln!(
                    f,
                    "how       by swap: into a new database, checked, then exchanged; the old one {fate}stays as {old}"
                )?;
            }
            (Mode::Swap, None) => writeln!(f, "how       into a new database, which gets its name when it is whole")?,
            (Mode::InPlace, _) => {
                let why = self.why_in_place.as_ref().map_or(String::new(), |why| format!(", because {why}"));
                let safety = if self.wish.skip_backup { "" } else { ", after a safety backup" };
                writeln!(f, "how       in place{why}: in one transaction inside the living database{safety}")?;
            }
        }
        if !self.wish.tables.is_empty() {
            writeln!(
                f,
                "tables    the rows of {} alone; of all else the definitions without foreign keys",
                self.wish.tables.join(", ")
            )?;
        }
        if let Some(command) = &self.stop_command {
            writeln!(f, "stops     {command}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning   {warning}")?;
        }
        Ok(())
    }
}

/// The plan, as `--dry-run --json` shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document<'a> {
    backup: &'a str,
    mode: Mode,
    why_in_place: Option<&'a str>,
    replaces: &'a str,
    old_name: Option<&'a str>,
    owners_kept: bool,
    warnings: &'a [String],
}

impl<'a> From<&'a Plan> for Document<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self {
            backup: &plan.backup,
            mode: plan.mode,
            why_in_place: plan.why_in_place.as_deref(),
            replaces: &plan.replaced,
            old_name: plan.old_name.as_deref(),
            owners_kept: plan.ownership == Ownership::Kept,
            warnings: &plan.warnings,
        }
    }
}
