//! `lastgood restore --drop-old`: the databases that restores left beside the living one go, once nobody needs the way back.

use catalog::words;
use postgres::database::content::Content;
use postgres::database::names;
use postgres::quote::identifier;
use postgres::{Error, PsqlError};
use serde::{Deserialize, Serialize};

use crate::answers::failure::{Exit, Failure};
use crate::answers::prompt;
use crate::cli::RestoreArgs;
use crate::commands::restore::server::Server;
use crate::interrupt::{Interrupt, stopped_by};
use crate::lock::Lock;
use crate::settings::Settings;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Old {
    name: String,
    /// In bytes; `None` where the role may not ask.
    size: Option<u64>,
    /// A template cannot be dropped.
    #[serde(skip_serializing)]
    template: bool,
    /// Who owns it, where the restoring role hasn't got the owner's rights by itself.
    #[serde(skip_serializing)]
    owner: Option<String>,
    /// Subscriptions in it: a database that has some cannot be dropped.
    #[serde(skip_serializing)]
    subscriptions: Vec<String>,
}

impl Old {
    fn line(&self) -> String {
        format!("  {}  {}\n", self.name, self.size.map_or("?".to_owned(), words::size))
    }
}

#[derive(Serialize)]
struct Document {
    dropped: Vec<Old>,
}

/// Drops them, after a yes.
///
/// # Errors
/// Exit 1 when one can't be dropped, after all others were, or the answer isn't yes; exit 3 when a restore of this database is under way.
pub(crate) fn run(
    args: &RestoreArgs,
    settings: &Settings,
    server: &Server,
    name: &str,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    // One of them may be what a restore is about to exchange.
    let _lock = Lock::for_restore(&settings.lock_directory, &catalog::encode_database(name))?;
    let report = settings.report;
    let old = old_databases(server, name)?;
    if old.is_empty() {
        report.answer(&Document { dropped: old }, &format!("{name} has no old databases"))?;
        return Ok(Exit::Done);
    }
    let list: String = old.iter().map(Old::line).collect();
    if args.dry_run {
        report.answer(&Document { dropped: Vec::new() }, &format!("would be dropped:\n{list}"))?;
        return Ok(Exit::Done);
    }
    let count = words::count(old.len() as u64, "old database");
    prompt::ask(&list, &format!("Drop {count}? There is no way back."), args.confirm, interrupt)?;
    let (mut dropped, mut stay) = (Vec::new(), Vec::new());
    for old in old {
        if let Some(signal) = interrupt.seen() {
            stay.push(format!("{}: {}", old.name, stopped_by(signal).error));
            continue;
        }
        match drop_one(server, &old) {
            Ok(()) => dropped.push(old),
            Err(error) => stay.push(format!("{}: {error}", old.name)),
        }
    }
    let count = words::count(dropped.len() as u64, "old database");
    let list: String = dropped.iter().map(Old::line).collect();
    if stay.is_empty() {
        report.answer(&Document { dropped }, &format!("dropped {count}:\n{list}"))?;
        return Ok(Exit::Done);
    }
    let failure = Failure::new(Exit::Failed, format!("cannot drop {}", stay.join("; "))).hint(
        "if somebody is connected to it, something may still be using it: look before you drop it; drop what belongs to another role \
         as that role",
    );
    if dropped.is_empty() {
        return Err(failure);
    }
    report.answer(&Document { dropped }, &format!("dropped {count}:\n{list}"))?;
    report.say(&failure);
    Ok(failure.exit)
}

/// Drops one, with what keeps PostgreSQL from it: it being a template, and subscriptions, whose slots stay on their publishers
/// for the database that took the name.
fn drop_one(server: &Server, old: &Old) -> Result<(), PsqlError> {
    let (maintenance, name) = (server.maintenance.unstopped(), identifier(&old.name));
    let inside = server.psql.to(&old.name).unstopped();
    for subscription in &old.subscriptions {
        let subscription = identifier(subscription);
        inside.script(&format!(
            "ALTER SUBSCRIPTION {subscription} DISABLE;\nALTER SUBSCRIPTION {subscription} SET (slot_name = NONE);\n\
             DROP SUBSCRIPTION {subscription};\n"
        ))?;
    }
    // A member of the owner that doesn't inherit its rights may still act as the owner.
    let owner = old.owner.as_ref().map_or(String::new(), |owner| format!("SET ROLE {};\n", identifier(owner)));
    let template = if old.template { format!("ALTER DATABASE {name} IS_TEMPLATE false;\n") } else { String::new() };
    maintenance.script(&format!("{owner}{template}DROP DATABASE {name};\n")).map(drop)
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
    let select = "SELECT datname AS name, CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS size,
        datistemplate AS template, CASE WHEN NOT pg_has_role(datdba, 'USAGE') THEN pg_get_userbyid(datdba) END AS owner,
        ARRAY(SELECT subname FROM pg_subscription s WHERE s.subdbid = d.oid) AS subscriptions
        FROM pg_database d ORDER BY datname";
    let all: Vec<Old> = server.maintenance.rows(select).map_err(|e| Error::unreachable(&server.maintenance, &e))?;
    let is_old = |old: &Old| names::is_before(name, &old.name) || names::is_restoring(name, &old.name);
    Ok(all.into_iter().filter(is_old).collect())
}
