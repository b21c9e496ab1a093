//! A scratch database: made for a drill, dropped after it, and known as ours if a drill was killed.
//!
//! What tells it from everybody else's is its name's form *and* a mark that only we set: a connection limit that nobody chooses, from its
//! first moment on, then the end of its comment. What tells a living drill's from a dead one's is an advisory lock on the name, which a session
//! of the drill holds for its whole time, in whichever database: every role sees it in `pg_locks`.

use std::hash::{BuildHasher as _, RandomState};

use archive::Digester;
use serde::Deserialize;

use crate::database::exchange::end_connections;
use crate::database::names;
use crate::programs::session::{Session, SessionError};
use crate::quote::{identifier, literal};
use crate::{Psql, PsqlError};

/// The first of the two numbers of our advisory locks.
const CLASS: i32 = 0x6c67_6472;
/// How many connections a scratch database takes until it has its comment.
const LIMIT: u32 = 604_513;
/// How the comment of a scratch database ends, behind the comment that the archive says.
const MARK: &str = "\n(scratch database of a lastgood drill; the next drill drops it)";
/// How often it is tried to drop one: what was killed takes a moment to end.
const TRIES: usize = 20;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);

/// The least connection limit that a birth draws; the most is twice that, and PostgreSQL's own.
const LEAST_BIRTH: u32 = 1 << 30;

/// How often it is waited, in all, for claims of drills that may be dying.
const DYING: usize = 6;

/// The option of CREATE DATABASE that marks a new one.
#[must_use]
pub fn option() -> String {
    format!(" CONNECTION LIMIT {LIMIT}")
}

/// What follows CREATE DATABASE: the mark that stays.
#[must_use]
pub fn mark(name: &str) -> String {
    let name = identifier(name);
    format!("COMMENT ON DATABASE {name} IS {};\nALTER DATABASE {name} CONNECTION LIMIT -1;\n", literal(&marked("")))
}

/// What tells a new database from everybody else's until its creation is known to have been answered: a connection limit that this
/// restore has drawn, so high that it limits nobody. It comes with the database itself, and no moment later.
#[derive(Debug)]
pub struct Birth {
    limit: u32,
}

impl Birth {
    /// Draws one.
    #[must_use]
    pub fn new() -> Self {
        // A hasher's keys are the standard library's own random numbers.
        let drawn = RandomState::new().hash_one(std::process::id());
        Self { limit: LEAST_BIRTH + u32::try_from(drawn % u64::from(LEAST_BIRTH)).unwrap_or_default() }
    }

    /// The option of CREATE DATABASE.
    #[must_use]
    pub fn option(&self) -> String {
        format!(" CONNECTION LIMIT {}", self.limit)
    }

    /// What takes it away again, once the database is known to be there.
    #[must_use]
    pub fn unmark(&self, name: &str) -> String {
        format!("ALTER DATABASE {} CONNECTION LIMIT -1;\n", identifier(name))
    }

    /// Drops the database of this name, if it has this mark, and says whether there was any. The server may still be making it:
    /// it has some seconds to show.
    ///
    /// # Errors
    /// When the server can't be asked, or keeps it.
    pub fn take_back(&self, maintenance: &Psql, name: &str) -> Result<bool, PsqlError> {
        let maintenance = &maintenance.unstopped();
        let select = format!(
            "SELECT datname AS name FROM pg_database WHERE datname = {} AND datconnlimit = {}",
            literal(name),
            self.limit
        );
        let mut last = Ok(false);
        for _ in 0..TRIES {
            match maintenance.row::<Found>(&select) {
                Ok(Some(_)) => return remove(maintenance, name).map(|()| true),
                Ok(None) => last = Ok(false),
                Err(error @ PsqlError::Interrupted(_)) => return Err(error),
                Err(error) => last = Err(error),
            }
            std::thread::sleep(PAUSE);
        }
        last
    }
}

impl Default for Birth {
    fn default() -> Self {
        Self::new()
    }
}

/// A comment of the archive's, with the mark behind it.
#[must_use]
pub fn marked(comment: &str) -> String {
    format!("{comment}{MARK}")
}

/// The same without the mark; nothing where there is no other comment.
#[must_use]
pub fn unmarked(comment: &str) -> Option<&str> {
    Some(comment.strip_suffix(MARK).unwrap_or(comment)).filter(|comment| !comment.is_empty())
}

/// A name that is ours as long as this lives.
pub struct Claim {
    _session: Session,
}

impl Claim {
    /// Claims a scratch database's name; nothing when another drill has it.
    ///
    /// # Errors
    /// When the server can't be asked.
    pub fn take(maintenance: &Psql, name: &str) -> Result<Option<Self>, PsqlError> {
        let failed = |error: String| PsqlError::Refused(error);
        let mut session = Session::start(&maintenance.unstopped()).map_err(|e| failed(e.to_string()))?;
        let (class, key) = (CLASS, key(name));
        match session.ask(&format!("SELECT pg_catalog.pg_try_advisory_lock({class}, {key});\n")) {
            Ok(answer) => Ok((answer.trim() == "t").then_some(Self { _session: session })),
            Err(SessionError::Ended) => Err(failed(match session.why() {
                Err(error) => error.to_string(),
                Ok(()) => SessionError::Ended.to_string(),
            })),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// The second of the two numbers.
fn key(name: &str) -> i32 {
    let mut digester = Digester::new();
    digester.update(name.as_bytes());
    let digits: String = digester.finish().md5.to_string().chars().take(8).collect();
    u32::from_str_radix(&digits, 16).map_or(0, u32::cast_signed)
}

/// A database that bears the mark.
#[derive(Deserialize)]
struct Found {
    name: String,
}

/// Selects them, of those that the role may drop.
fn marked_ones() -> String {
    format!(
        "SELECT d.datname AS name FROM pg_database d, shobj_description(d.oid, 'pg_database') AS comment
            WHERE pg_has_role(d.datdba, 'USAGE') AND NOT d.datistemplate
            AND CASE WHEN comment IS NULL THEN d.datconnlimit = {LIMIT} ELSE right(comment, {}) = {} END",
        MARK.chars().count(),
        literal(MARK)
    )
}

/// Drops what another drill made of a name that is claimed by us, and says whether there was any: a server goes on with CREATE DATABASE after
/// the drill that asked for it was killed.
///
/// # Errors
/// When the server can't be asked, or keeps it.
pub fn drop_dead_at(maintenance: &Psql, name: &str) -> Result<bool, PsqlError> {
    let is_there = maintenance.rows::<Found>(&marked_ones())?.iter().any(|found| found.name == name);
    if is_there && names::is_drill(name) {
        remove(maintenance, name)?;
        return Ok(true);
    }
    Ok(false)
}

/// Drops what drills left behind that were killed, and answers with the names. What can't be dropped now is the next drill's.
///
/// # Errors
/// When the server can't be asked.
pub fn drop_dead(maintenance: &Psql) -> Result<Vec<String>, PsqlError> {
    let select = marked_ones();
    let mut dropped = Vec::new();
    let mut patience = DYING;
    for Found { name } in maintenance.rows::<Found>(&select)? {
        if !names::is_drill(&name) || stays_claimed(maintenance, &name, &mut patience)? {
            continue;
        }
        // A living drill's may have been dropped by itself while its claim was waited for.
        if !maintenance.rows::<Found>(&select)?.iter().any(|found| found.name == name) {
            continue;
        }
        match remove(maintenance, &name) {
            Ok(()) => dropped.push(name),
            Err(error) => tracing::warn!("cannot drop {name}, which a drill left behind: {error}"),
        }
    }
    Ok(dropped)
}

/// What was killed a moment ago may hold its claim for a moment more.
fn stays_claimed(maintenance: &Psql, name: &str, patience: &mut usize) -> Result<bool, PsqlError> {
    while is_claimed(maintenance, name)? {
        if *patience == 0 {
            return Ok(true);
        }
        *patience -= 1;
        std::thread::sleep(PAUSE);
    }
    Ok(false)
}

fn is_claimed(maintenance: &Psql, name: &str) -> Result<bool, PsqlError> {
    let key = key(name).cast_unsigned();
    let select = format!(
        "SELECT 1 AS one FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = {CLASS} AND objid::bigint = {key} AND objsubid = 2"
    );
    Ok(maintenance.row::<serde_json::Value>(&select)?.is_some())
}

/// Drops a scratch database, whoever is connected to it. Subscriptions in it were never enabled: nothing of theirs is on a publisher.
///
/// # Errors
/// What the server said last.
pub fn remove(maintenance: &Psql, name: &str) -> Result<(), PsqlError> {
    let maintenance = &maintenance.unstopped();
    let mut last = Ok(());
    for _ in 0..TRIES {
        let _ = end_connections(maintenance, &[name]);
        match maintenance.script(&format!("DROP DATABASE IF EXISTS {};\n", identifier(name))) {
            Ok(_) => return Ok(()),
            Err(error @ PsqlError::Interrupted(_)) => return Err(error),
            Err(error) => last = Err(error),
        }
        if let Err(error) = drop_subscriptions(maintenance, name) {
            tracing::debug!("{error}");
        }
        std::thread::sleep(PAUSE);
    }
    last
}

fn drop_subscriptions(maintenance: &Psql, name: &str) -> Result<(), PsqlError> {
    let select = "SELECT format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE); DROP SUBSCRIPTION %1$I;', subname)
        FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()\n\\gexec\n";
    maintenance.to(name).script(select).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_behind_the_archives_own_comment() {
        assert_eq!(unmarked(&marked("the shop")), Some("the shop"));
        assert_eq!((unmarked(&marked("")), unmarked("plain")), (None, Some("plain")));
        assert_ne!(key("app_drill_20261122_194500"), key("app_drill_20261122_194501"));
    }
}
