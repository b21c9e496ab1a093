//! The exchange: the living database and the new one change names in one transaction.
//!
//! RENAME takes the database's lock first, which new connections then wait for, and gives those that are there five
//! seconds to go. So they are ended from another session while it waits: whoever reconnects in between waits too, and
//! finds the new database.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde::Deserialize;

use crate::answers::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::postgres::psql::{identifier, literal};
use crate::postgres::{Psql, PsqlError};

const TRIES: usize = 4;
/// How often connections are ended while the names are being exchanged.
const PAUSE: Duration = Duration::from_millis(200);

/// Gives `new` the name `name`, and the database that has it now, if there is one, the name `old`.
///
/// # Errors
/// Exit 1; both databases have their names of before then, unless the error says that it isn't known.
pub(crate) fn exchange(
    maintenance: &Psql,
    name: &str,
    new: &str,
    old: Option<&str>,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let mut sql = String::from("BEGIN;\n");
    if let Some(old) = old {
        sql.push_str(&format!("ALTER DATABASE {} RENAME TO {};\n", identifier(name), identifier(old)));
    }
    sql.push_str(&format!("ALTER DATABASE {} RENAME TO {};\nCOMMIT;\n", identifier(new), identifier(name)));
    let failed = |e: &str| Failure::new(Exit::Failed, format!("database {name} could not be exchanged: {e}"));
    let identity = oid(maintenance, new).map_err(|e| failed(&e.to_string()))?;
    let identity = identity.ok_or_else(|| failed("somebody dropped or renamed the new one").hint("restore again"))?;
    let mut last = None;
    for _ in 0..TRIES {
        let exchanged = while_ending_connections(maintenance, &[name, new], || maintenance.script(&sql));
        let Err(error) = exchanged else { return Ok(()) };
        // A connection that broke at COMMIT leaves open whether it was done: then the new database has the name.
        match oid(maintenance, name) {
            Ok(found) if found == Some(identity) => return Ok(()),
            Ok(_) => last = Some(failed(&error.to_string()).hint(who_is_connected(maintenance, name))),
            Err(silence) => last = Some(failed(&error.to_string()).hint(unknown(new, &silence))),
        }
        if interrupt.seen().is_some() {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    Err(last.unwrap_or_else(|| failed("it was never tried")))
}

/// Ends every connection to `name` that the role may end, once.
///
/// # Errors
/// [`PsqlError`].
pub(crate) fn end_connections(maintenance: &Psql, names: &[&str]) -> Result<(), PsqlError> {
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    // Nobody but a superuser may end a superuser's connection; trying it would fail for all.
    let sql = format!(
        "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid,
            (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) me
            WHERE a.datname IN ({}) AND a.pid <> pg_backend_pid()
            AND (me.rolsuper OR NOT r.rolsuper AND (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')));\n",
        names.join(", ")
    );
    maintenance.script(&sql).map(drop)
}

fn while_ending_connections<T>(maintenance: &Psql, names: &[&str], act: impl FnOnce() -> T) -> T {
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                // What can't be ended shows in the exchange itself.
                let _ = end_connections(maintenance, names);
                if is_done.recv_timeout(PAUSE) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        });
        let outcome = act();
        drop(done);
        outcome
    })
}

/// Which database has this name: a name may change its database, an OID doesn't.
fn oid(maintenance: &Psql, name: &str) -> Result<Option<u32>, PsqlError> {
    #[derive(Deserialize)]
    struct Row {
        oid: u32,
    }
    let select = format!("SELECT oid::bigint AS oid FROM pg_database WHERE datname = {}", literal(name));
    Ok(maintenance.row::<Row>(&select)?.map(|row| row.oid))
}

fn unknown(new: &str, silence: &PsqlError) -> String {
    format!(
        "whether it was done isn't known, because the server can't be asked ({silence}): it was, if there is no database {new} any more"
    )
}

#[derive(Deserialize)]
struct Connected {
    role: Option<String>,
    application: String,
    connections: u64,
}

fn who_is_connected(maintenance: &Psql, name: &str) -> String {
    let select = format!(
        "SELECT usename AS role, application_name AS application, count(*) AS connections FROM pg_stat_activity
            WHERE datname = {} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 5",
        literal(name)
    );
    let connected: Vec<Connected> = maintenance.rows(&select).unwrap_or_default();
    let shown: Vec<String> = connected
        .iter()
        .map(|c| format!("{} as {} ({})", c.application, c.role.as_deref().unwrap_or("?"), c.connections))
        .collect();
    if shown.is_empty() {
        return "try again; the live database has not been changed".to_owned();
    }
    format!("stop what is connected and try again: {}", shown.join(", "))
}
