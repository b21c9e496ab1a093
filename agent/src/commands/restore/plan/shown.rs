//! The plan as it is shown before the question, and as `--dry-run --json` answers it.

use std::fmt;

use serde::Serialize;

use crate::commands::restore::plan::Plan;
use crate::commands::restore::plan::filling::Filling;
use crate::commands::restore::plan::way::{Mode, Way};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        writeln!(f, "backup    {}", subject.backup)?;
        writeln!(f, "made      {}", subject.made)?;
        let label = if self.way == Way::Rows { "into     " } else { "replaces " };
        writeln!(f, "{label} {}", subject.replaces)?;
        writeln!(f, "how       {}", self.way)?;
        if let Filling::SideBySide { jobs, .. } = &self.filling {
            writeln!(f, "jobs      {jobs}")?;
        }
        if !subject.has_rows {
            writeln!(f, "tables    the definitions alone, without any row")?;
        }
        if !self.new_roles.is_empty() {
            writeln!(f, "creates   the roles {}", self.new_roles.join(", "))?;
        }
        if !subject.tables.is_empty() {
            let tables = subject.tables.join(", ");
            let others = if self.way == Way::Rows { "" } else { "; of all else the definitions without foreign keys" };
            writeln!(f, "tables    the rows of {tables} alone{others}")?;
        }
        subject.checks.iter().try_for_each(|query| writeln!(f, "check     {query}"))?;
        if let Some(command) = &subject.stops {
            writeln!(f, "stops     {command}")?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning   {warning}"))
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Swap { old: Some(old), drops_empty, .. } => {
                let fate = if *drops_empty { "dropped if it is still empty, else kept" } else { "kept" };
                write!(
                    f,
                    "by swap: into a new database, which is checked and then takes the name; the old one is {fate} as {old}"
                )
            }
            Self::Swap { named_at_once: Some(because), .. } => {
                write!(
                    f,
                    "into a new database, which has its name from the beginning, because {because}: keep others out until it is whole"
                )
            }
            Self::Swap { old: None, .. } => f.write_str("into a new database, which gets its name when it is whole"),
            Self::Rows => {
                f.write_str("rows alone, into the tables that are there, in one transaction inside the live database")
            }
            Self::InPlace { because, safety_backup } => {
                let because = because.as_ref().map_or(String::new(), |because| format!(", because {because}"));
                let safety = if *safety_backup { ", after a safety backup" } else { "" };
                write!(f, "in place{because}: in one transaction inside the live database{safety}")
            }
        }
    }
}

/// The plan, as `--dry-run --json` shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanDocument<'a> {
    backup: &'a str,
    mode: Mode,
    why_in_place: Option<&'a str>,
    replaces: &'a str,
    old_name: Option<&'a str>,
    owners_kept: bool,
    jobs: usize,
    checks: &'a [String],
    new_roles: &'a [String],
    warnings: &'a [String],
}

impl<'a> From<&'a Plan> for PlanDocument<'a> {
    fn from(plan: &'a Plan) -> Self {
        let (old_name, why_in_place) = match &plan.way {
            Way::Swap { old, .. } => (old.as_deref(), None),
            Way::InPlace { because, .. } => (None, because.as_deref()),
            Way::Rows => (None, None),
        };
        Self {
            backup: &plan.subject.backup,
            mode: plan.way.mode(),
            why_in_place,
            replaces: &plan.subject.replaces,
            old_name,
            owners_kept: plan.owners_kept,
            jobs: plan.filling.jobs(),
            checks: &plan.subject.checks,
            new_roles: &plan.new_roles,
            warnings: &plan.warnings,
        }
    }
}
