//! `lastgood restore --drop-old`: the databases that restores left beside the living one go, once nobody needs the way back.

use postgres::Error;
use postgres::database::content::Content;
use postgres::database::names;
use postgres::quote::identifier;
use serde::{Deserialize, Serialize};

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::answers::report;
use crate::cli::RestoreArgs;
use crate::commands::restore::server::Server;
use crate::lock::Lock;
use crate::settings::Settings;

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
/// Exit 1 when one can't be dropped, or the answer isn't yes; exit 3 when a restore of this database is under way.
pub(crate) fn run(args: &RestoreArgs, settings: &Settings, server: &Server, name: &str) -> Result<Exit, Failure> {
    // One of them may be what a restore is about to exchange.
    let _lock = Lock::for_restore(&settings.lock_directory, &catalog::encode_database(name))?;
    let report = settings.report;
    let old = old_databases(server, name)?;
    if old.is_empty() {
        report.answer(&Document { dropped: old }, &format!("{name} has no old databases"))?;
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
        let dropped = server.maintenance.unstopped().script(&format!("DROP DATABASE {};\n", identifier(&old.name)));
        dropped.map_err(|e| {
            Failure::new(Exit::Failed, format!("cannot drop {}: {e}", old.name))
                .hint("if somebody is connected to it, something may still be using it: look before you drop it")
        })?;
    }
    report.answer(&Document { dropped: old }, &format!("dropped {count}:\n{list}"))?;
    Ok(Exit::Done)
}

/// Drops the empty database whose name a restore with `--into` took; whether it did. It was empty before the restore:
/// whoever had it until the exchange may have filled it since.
pub(crate) fn drop_empty(server: &Server, name: &str) -> bool {
    let kept = |why: &str| {
        tracing::warn!("the database that was there before is kept as {name}: {why}");
        false
    };
    match Content::ask(&server.psql.to(name).unstopped()) {
        Ok(content) if content.is_worthless() => {}
        Ok(_) => return kept("it isn't empty"),
        Err(error) => return kept(&format!("cannot ask whether it is empty: {error}")),
    }
    match server.maintenance.unstopped().script(&format!("DROP DATABASE {};\n", identifier(name))) {
        Ok(_) => true,
        Err(error) => kept(&format!("cannot drop it: {error}")),
    }
}

/// What restores of this database left: old ones, and new ones of restores that were killed.
fn old_databases(server: &Server, name: &str) -> Result<Vec<Old>, Failure> {
    let select = "SELECT datname AS name, CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS size
        FROM pg_database ORDER BY datname";
    let all: Vec<Old> = server.maintenance.rows(select).map_err(|e| Error::unreachable(&server.maintenance, &e))?;
    let is_old = |old: &Old| names::is_before(name, &old.name) || names::is_restoring(name, &old.name);
    Ok(all.into_iter().filter(is_old).collect())
}
