//! `diff --rows`: the rows of tables that differ. Each archive is read once, up to the last of these tables, and their rows wait in a
//! temporary file; then one table after the other is compared, in parts that fit into memory. Values are personal: the files have no
//! names, and nothing is left of them however the run ends.

mod compare;
mod output;
mod plan;
mod read;
mod spool;
mod values;

use std::path::Path;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::Report;
use crate::cli::DiffArgs;
use crate::commands::diff::rows::compare::Comparing;
use crate::commands::diff::rows::output::Output;
use crate::commands::diff::rows::plan::Plan;
use crate::commands::diff::rows::read::Rows;
use crate::commands::diff::side::Side;
use crate::commands::diff::tables::{Table, Tables};
use crate::interrupt::Interrupt;

/// The tables whose rows are compared.
pub(super) struct Wanted {
    tables: Vec<(String, String)>,
    limit: u64,
}

impl Wanted {
    /// Those that differ, or those that are asked for.
    ///
    /// # Errors
    /// Exit 5 when neither backup has a table that is asked for; exit 1 when one of the archives isn't at hand.
    pub(super) fn of(args: &DiffArgs, tables: &Tables, (first, second): (&Side, &Side)) -> Result<Self, Failure> {
        for side in [first, second] {
            if side.archive.is_none() {
                return Err(Failure::new(Exit::Failed, format!("no rows can be compared: {}", side.unreadable()))
                    .hint("compare without --rows, or another backup: lastgood list"));
            }
        }
        let name = |table: &Table| (table.schema.clone(), table.name.clone());
        let mut differing: Vec<(String, String)> = tables.differing.iter().map(name).collect();
        if !args.table.is_empty() {
            let known = |wish: &String| [first, second].iter().any(|side| has(side, wish));
            if let Some(unknown) = args.table.iter().find(|wish| !known(wish)) {
                return Err(Failure::new(Exit::NotFound, format!("neither backup has a table `{unknown}`"))
                    .hint(format!("lastgood show {} --json names the tables", second.name())));
            }
            differing.retain(|table| args.table.iter().any(|wish| is_called(table, wish)));
        }
        Ok(Self { tables: differing, limit: args.limit.unwrap_or(u64::MAX) })
    }

    /// Reads their rows. For a thread that may block, inside the runtime.
    ///
    /// # Errors
    /// When an archive can't be read, or is encrypted and no key fits; when there is no room for the rows.
    pub(super) fn read(&self, first: &Side, second: &Side, spool: &Path) -> Result<Both, Failure> {
        let (one, other) = (read::contents(first, &self.tables)?, read::contents(second, &self.tables)?);
        let plans: Vec<Plan> = self.tables.iter().map(|table| Plan::of(table, &one, &other)).collect();
        let old = read::rows(first, &plans, (spool, plan::First))?;
        let new = read::rows(second, &plans, (spool, plan::Second))?;
        Ok(Both { plans, old, new, interrupt: interrupt(first)? })
    }

    /// Compares their rows and prints what differs; whether anything does.
    ///
    /// # Errors
    /// When a temporary file can't be written or read, or the run is told to stop.
    pub(super) fn compare(&self, rows: &Both, spool: &Path, report: Report) -> Result<bool, Failure> {
        let mut output = Output::new(report, self.limit);
        let mut differ = false;
        for plan in &rows.plans {
            output.begin(plan)?;
            if plan.is_comparable() {
                let comparing = Comparing { plan, spool, interrupt: &rows.interrupt };
                comparing.table(rows.old.of(plan), rows.new.of(plan), &mut output)?;
            }
            differ |= output.end(plan)?;
        }
        output.finish()?;
        Ok(differ)
    }
}

/// The rows of both backups, in temporary files, and how they are compared.
pub(super) struct Both {
    plans: Vec<Plan>,
    old: Rows,
    new: Rows,
    interrupt: Interrupt,
}

fn interrupt(side: &Side) -> Result<Interrupt, Failure> {
    let archive = side.archive.as_ref().map(|(_, archive)| archive.interrupt.clone());
    archive.ok_or_else(|| Failure::new(Exit::Failed, side.unreadable()))
}

fn has(side: &Side, wish: &str) -> bool {
    let tables = side.census.iter().flat_map(|census| &census.tables);
    tables.into_iter().any(|table| is_called(&(table.schema.clone(), table.name.clone()), wish))
}

fn is_called((schema, name): &(String, String), wish: &str) -> bool {
    name == wish || format!("{schema}.{name}") == wish
}
