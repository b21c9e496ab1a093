//! `lastgood restore --drop-old`: the databases that restores left beside the living one go, once nobody needs the way back.

use serde::{Deserialize, Serialize};

use crate::cli::RestoreArgs;
use crate::failure::{Exit, Failure};
use crate::postgres::psql::identifier;
use crate::postgres::server::unreachable_database;
use crate::report::{self, Report};
use crate::restore::target::Target;
use crate::restore::{names, prompt};

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Old {
    name: String,
    /// In bytes; `None` where the role may not ask.
    size: Option<u64>,
}

#[derive(Serialize)]
struct Document {
    dropped: Vec<Old>,
}

/// Drops them, after a yes.
///
/// # Errors
/// Exit 1 when one can't be dropped, or the answer isn't yes.
pub(crate) fn run(args: &RestoreArgs, report: Report, target: &Target) -> Result<Exit, Failure> {
    let old = old_databases(target)?;
    if old.is_empty() {
        report.answer(&Document { dropped: old }, &format!("no old database of {} is left", target.name))?;
        return Ok(Exit::Done);
    }
    let list: String =
        old.iter().map(|old| format!("  {}  {}\n", old.name, old.size.map_or("?".to_owned(), report::size))).collect();
    if args.dry_run {
        report.answer(&Document { dropped: Vec::new() }, &format!("would be dropped:\n{list}"))?;
        return Ok(Exit::Done);
    }
    let count = report::count(old.len() as u64, "old database");
    prompt::ask(&list, &format!("Drop {count}? There is no way back."), args.confirm)?;
    for old in &old {
        let dropped = target.maintenance.script(&format!("DROP DATABASE {};\n", identifier(&old.name)));
        dropped.map_err(|e| {
            Failure::new(Exit::Failed, format!("{} could not be dropped: {e}", old.name))
                .hint("if somebody is connected to it, something may still be using it: look before you drop it")
        })?;
    }
    report.answer(&Document { dropped: old }, &format!("dropped {count}:\n{list}"))?;
    Ok(Exit::Done)
}

/// Drops the empty database whose name a restore with `--into` took.
pub(crate) fn drop_empty(target: &Target, name: &str) {
    if let Err(error) = target.maintenance.script(&format!("DROP DATABASE {};\n", identifier(name))) {
        tracing::warn!("the empty database that was there before, now {name}, could not be dropped: {error}");
    }
}

/// What restores of this database left: old ones, and new ones of restores that were killed.
fn old_databases(target: &Target) -> Result<Vec<Old>, Failure> {
    let select = "SELECT datname AS name, CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS size
        FROM pg_database ORDER BY datname";
    let all: Vec<Old> = target.maintenance.rows(select).map_err(|e| unreachable_database(&target.maintenance, &e))?;
    let is_old = |old: &Old| names::is_before(&target.name, &old.name) || names::is_restoring(&target.name, &old.name);
    Ok(all.into_iter().filter(is_old).collect())
}
