//! The exchange: the live database and the new one change names in one transaction.
//!
//! RENAME takes the database's lock first, which new connections then wait for, and gives those that are there five
//! seconds to go. So they are ended from another session while it waits: a client that reconnects in between waits too, and
//! finds the new database.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde::Deserialize;

use crate::quote::{identifier, literal, literals};
use crate::{Error, Psql, PsqlError};

const TRIES: usize = 4;
/// How often connections are ended while the names are being exchanged.
const PAUSE: Duration = Duration::from_millis(200);

/// Gives `new` the name `name`, and the database that has it now the name `old`. True when there was one: somebody may have dropped
/// it, which makes the way free.
///
/// # Errors
/// Both databases have their names of before then, but for [`Error::ExchangeUnknown`].
pub fn exchange(maintenance: &Psql, name: &str, new: &str, old: Option<&str>) -> Result<bool, Error> {
    // Between tries the run may stop; a try, and what is asked after it, goes on to its end.
    let (stop, maintenance) = (maintenance.stop(), &maintenance.unstopped());
    let failed = |cause: String| not_exchanged(name, cause, Vec::new());
    let identity = oid(maintenance, new).map_err(|e| failed(e.to_string()))?;
    let identity = identity.ok_or_else(|| Error::NewDatabaseGone { database: name.to_owned() })?;
    let (mut last, mut aside) = (None, old);
    for _ in 0..TRIES {
        // What can't be asked shows in the exchange.
        match oid(maintenance, name) {
            Ok(found) if found == Some(identity) => return Ok(aside.is_some()),
            Ok(living) => aside = old.filter(|_| living.is_some()),
            Err(_) => {}
        }
        let sql = renaming(name, new, aside);
        let exchanged = while_ending_connections(maintenance, &[name, new], || maintenance.script(&sql));
        let Err(error) = exchanged else { return Ok(aside.is_some()) };
        // A connection that broke at COMMIT leaves open whether it was done: then the new database has the name.
        last = Some(match oid(maintenance, name) {
            Ok(found) if found == Some(identity) => return Ok(aside.is_some()),
            Ok(_) => not_exchanged(name, error.to_string(), who_is_connected(maintenance, &[name, new])),
            Err(silence) => Error::ExchangeUnknown {
                database: name.to_owned(),
                new: new.to_owned(),
                cause: error.to_string(),
                silence: silence.to_string(),
            },
        });
        if stop.signal().is_some() {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    Err(last.unwrap_or_else(|| failed("it was never tried".to_owned())))
}

/// Both renames, in one transaction.
fn renaming(name: &str, new: &str, old: Option<&str>) -> String {
    let rename = |from: &str, to: &str| format!("ALTER DATABASE {} RENAME TO {};\n", identifier(from), identifier(to));
    let aside = old.map_or(String::new(), |old| rename(name, old));
    format!("BEGIN;\n{aside}{}COMMIT;\n", rename(new, name))
}

fn not_exchanged(name: &str, cause: String, connected: Vec<String>) -> Error {
    Error::NotExchanged { database: name.to_owned(), cause, connected }
}

/// Ends every connection to the databases `names` that the role may end, once.
///
/// # Errors
/// [`PsqlError`].
pub fn end_connections(maintenance: &Psql, names: &[&str]) -> Result<(), PsqlError> {
    // Only a superuser may end a superuser's connection; trying it would fail for all.
    let sql = format!(
        "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid,
            (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) me
            WHERE a.datname IN ({}) AND a.pid <> pg_backend_pid()
            AND (me.rolsuper OR NOT r.rolsuper AND (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')));\n",
        literals(names)
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

#[derive(Deserialize)]
struct Connected {
    role: Option<String>,
    application: String,
    connections: u64,
}

fn who_is_connected(maintenance: &Psql, names: &[&str]) -> Vec<String> {
    let select = format!(
        "SELECT usename AS role, application_name AS application, count(*) AS connections FROM pg_stat_activity
            WHERE datname IN ({}) GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 5",
        literals(names)
    );
    let connected: Vec<Connected> = maintenance.rows(&select).unwrap_or_default();
    let shown = |c: &Connected| {
        let role = c.role.as_deref().unwrap_or("?");
        format!("{} as {role} ({})", c.application, c.connections)
    };
    connected.iter().map(shown).collect()
}
