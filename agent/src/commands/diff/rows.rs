//! `diff --rows`: the rows of tables that differ. Each archive is read once, up to the last of these tables, and their rows wait in a
//! temporary file; then one table after the other is compared, in parts that fit into memory. Values are personal: the files have no
//! names, and nothing is left of them however the run ends.

mod compare;
mod output;
mod plan;
mod read;
mod spool;
mod values;

use std::collections::BTreeSet;
use std::path::Path;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::Report;
use crate::cli::DiffArgs;
use crate::commands::diff::heads::{Heads, Name};
use crate::commands::diff::rows::compare::Comparing;
use crate::commands::diff::rows::output::Output;
use crate::commands::diff::rows::plan::Plan;
use crate::commands::diff::rows::read::Rows;
use crate::commands::diff::side::Side;
use crate::commands::diff::tables::{Table, Tables};
use crate::commands::restore::tables::among;
use crate::interrupt::Interrupt;

/// The tables whose rows are compared.
pub(super) struct Wanted {
    tables: Vec<Name>,
    /// Those that were asked for and don't differ.
    equal: Vec<Name>,
    limit: u64,
}

impl Wanted {
    /// Those that differ, or those that are asked for.
    ///
    /// # Errors
    /// Exit 5 when neither backup has a table that is asked for; exit 1 when one of the archives isn't at hand.
    pub(super) fn of(
        args: &DiffArgs,
        tables: &Tables,
        heads: &Heads,
        (first, second): (&Side, &Side),
    ) -> Result<Self, Failure> {
        for side in [first, second] {
            if side.archive.is_none() {
                return Err(Failure::new(Exit::Failed, format!("no rows can be compared: {}", side.unreadable()))
                    .hint("compare without --rows, or another backup: lastgood list"));
            }
        }
        let names = |tables: &[Table]| -> Vec<Name> {
            tables.iter().map(|table| (table.schema.clone(), table.name.clone())).collect()
        };
        let (mut differing, mut equal) = (names(&tables.differing), names(&tables.equal));
        let limit = args.limit.unwrap_or(u64::MAX);
        if args.table.is_empty() {
            return Ok(Self { tables: differing, equal: Vec::new(), limit });
        }
        let known: BTreeSet<Name> = differing.iter().chain(&equal).chain(heads.children.keys()).cloned().collect();
        let mut wanted = BTreeSet::new();
        for wish in &args.table {
            let named = among(&known, wish);
            if named.is_empty() {
                return Err(Failure::new(Exit::NotFound, format!("neither backup has a table `{wish}`"))
                    .hint(format!("lastgood show {} --json names the tables", second.name())));
            }
            wanted.extend(named);
        }
        let wanted = with_those_below(wanted, heads);
        differing.retain(|name| wanted.contains(name));
        equal.retain(|name| wanted.contains(name));
        Ok(Self { tables: differing, equal, limit })
    }

    /// Reads their rows. For a thread that may block, inside the runtime.
    ///
    /// # Errors
    /// When an archive can't be read, or is encrypted and no key fits; when there is no room for the rows.
    pub(super) fn read(&self, first: &Side, second: &Side, spool: &Path) -> Result<Both, Failure> {
        let (one, other) = (read::contents(first, &self.tables)?, read::contents(second, &self.tables)?);
        let plans: Vec<Plan> = self.tables.iter().map(|table| Plan::of(table, &one, &other)).collect();
        let old = read::rows(first, &plans, one.charset(), (spool, plan::First))?;
        let new = read::rows(second, &plans, other.charset(), (spool, plan::Second))?;
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
        for name in &self.equal {
            output.same(name)?;
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

/// Of a partitioned table its partitions, and of a parent its children.
fn with_those_below(mut tables: BTreeSet<Name>, heads: &Heads) -> BTreeSet<Name> {
    let mut rest: Vec<Name> = tables.iter().cloned().collect();
    while let Some(table) = rest.pop() {
        let below = heads.children.get(&table).into_iter().flatten();
        rest.extend(below.filter(|child| tables.insert((*child).clone())).cloned());
    }
    tables
}
