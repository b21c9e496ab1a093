//! The sessions of one dump: the leader, whose snapshot and locks they all stand on, and the readers.

use archive::weave::Abandoned;

use crate::psql::CONNECT_TIMEOUT;
use crate::quote::{identifier, literal};
use crate::weave::options::Honoured;
use crate::weave::plan::{Pages, TELL, Table, Told};
use crate::weave::said::{Said, TalkError};
use crate::weave::script::Script;
use crate::weave::talk::{Talk, TalkStopper};
use crate::wire::{Address, Resolved, Wire};
use crate::{DumpError, Psql};

/// Tables that are locked by one statement.
const LOCKED_AT_ONCE: usize = 500;
/// What a session sets as pg_dump does (`setup_connection` in pg_dump.c), until its transaction ends: behind a pooler it is another's
/// session afterwards. And what keeps rows in their order.
const SETTINGS: &str = "SELECT pg_catalog.set_config(n, v, true) FROM (VALUES ('search_path', ''),
    ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'), ('extra_float_digits', '{DIGITS}'), ('synchronize_seqscans', 'off'),
    ('statement_timeout', '0'), ('lock_timeout', '0'), ('idle_in_transaction_session_timeout', '0'),
    ('transaction_timeout', '0'), ('row_security', 'off'), ('client_min_messages', 'warning'),
    ('restrict_nonsystem_relation_kind', 'view, foreign-table'), ('max_parallel_workers_per_gather', '0'), ('jit', 'off'))
    AS s(n, v) WHERE pg_catalog.current_setting(n, true) IS NOT NULL;\n";
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\n";
/// Readers back out of a table's lock to it.
const SAVEPOINT: &str = "lastgood";
/// Back to it.
const BACK: &[u8] = b"ROLLBACK TO SAVEPOINT lastgood";
/// What PostgreSQL answers when somebody waits for a lock that comes before ours.
pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
/// How many connections are free, whether the role's or the database's are counted by a limit. What others do shows only as a number. And the server's process.
const CONNECTIONS: &str = "SELECT pg_catalog.current_setting('max_connections')::int
    - pg_catalog.current_setting('superuser_reserved_connections')::int
    - (SELECT pg_catalog.count(datid) FROM pg_catalog.pg_stat_activity),
    EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolconnlimit >= 0)
    OR EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database() AND datconnlimit >= 0),
    pg_catalog.pg_backend_pid();\n";
/// How many objects the server has room for in its table of locks, and twice as many for the sessions that hold them.
const LOCKS: &str = "SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8
    * (pg_catalog.current_setting('max_connections')::pg_catalog.int8
    + pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8);\n";
/// Where psql is connected to, and what the server is.
const RESOLVED: &str = "\\echo :HOST\n\\echo :PORT\n\\echo :USER\n\\echo :DBNAME\n\\echo :SERVER_VERSION_NUM\n";
/// Whether the connection is encrypted by GSSAPI; and the first server that knows.
const IS_GSS: &str = "SELECT coalesce(pg_catalog.bool_or(encrypted), true) FROM pg_catalog.pg_stat_gssapi WHERE pid = pg_catalog.pg_backend_pid();\n";
const WITH_GSS_VIEW: u32 = 120_000;
/// A row to try the way of rows with: psql may not know it.
const TRIAL: &[u8] = b"COPY (SELECT 'tried') TO STDOUT";
/// Of the free connections, a dump takes one in so many.
const SHARE: usize = 10;

/// A session on the dump's snapshot.
pub(super) struct Session {
    talk: Talk,
    is_leader: bool,
}

/// What all sessions of a dump set.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) honoured: Honoured,
    /// What the leader answered.
    pub(super) snapshot: String,
    /// Its time zone, in which moments are written.
    time_zone: String,
    /// Where sessions without psql are to be had, or why they aren't.
    address: Result<Address, String>,
}

/// Why something wasn't done.
pub(super) enum Refusal {
    /// In words. The session may go on, but for its transaction.
    Words(String),
    /// The session is gone.
    Gone,
}

impl From<TalkError> for Refusal {
    fn from(_: TalkError) -> Self {
        Self::Gone
    }
}

impl Session {
    /// The leader's session, its snapshot, and how many readers of `wanted` the server has connections for.
    pub(super) fn lead(
        (psql, ended): (&Psql, i32),
        honoured: &Honoured,
        wanted: usize,
    ) -> Result<(Self, Setting, usize), DumpError> {
        let mut talk = Script::start(psql)?;
        let script = format!(
            "{BEGIN}{}SELECT pg_catalog.current_setting('TimeZone');\nSELECT pg_catalog.pg_export_snapshot();\n",
            settings(honoured)
        );
        let asked = talk.ask(&script).and_then(|(told, said)| Ok((told, said, talk.ask(CONNECTIONS)?)));
        let Ok((told, Said { refused: None, .. }, (connections, _))) = asked else { return Err(talk.why()) };
        let address = address(&mut talk, psql);
        let mut talk = Talk::Script(Box::new(talk));
        let mut row = Vec::new();
        let tried = talk.copy(&[TRIAL.to_vec()], |piece| {
            row.append(piece);
            Ok(())
        });
        if !(tried.is_ok_and(|said| said == Said { refused: None, rows: 1 }) && row == b"tried\n") {
            return Err(talk.why());
        }
        let mut last = told.lines().rev();
        let (snapshot, time_zone) = (last.next().unwrap_or_default().trim(), last.next().unwrap_or_default());
        let (snapshot, time_zone) = (snapshot.to_owned(), time_zone.to_owned());
        let setting = Setting { honoured: honoured.clone(), snapshot, time_zone, address };
        let readers = readers(&connections, ended).map_or(1, |most| most.min(wanted));
        Ok((Self { talk, is_leader: true }, setting, readers))
    }

    /// A reader's session: by the protocol, or by psql where that can't be had.
    pub(super) fn follow(psql: &Psql, setting: &Setting) -> Result<Self, DumpError> {
        let direct = setting.address.clone().and_then(|address| {
            let mut talk = Talk::Wire(Box::new(Wire::connect(&address, psql.stop())?), Vec::new());
            let zone = format!("SET LOCAL TimeZone = {};\n", literal(&setting.time_zone));
            match talk.run(begin(setting, &zone).as_bytes()) {
                Ok(Said { refused: None, .. }) => Ok(talk),
                _ => Err(talk.why().lines().join(" ")),
            }
        });
        let why = match direct {
            Ok(talk) => return Ok(Self { talk, is_leader: false }),
            Err(why) => why,
        };
        tracing::info!("a session reads by psql: {why}");
        let mut talk = Talk::Script(Box::new(Script::start(psql)?));
        match talk.run(begin(setting, "").as_bytes()) {
            Ok(Said { refused: None, .. }) => Ok(Self { talk, is_leader: false }),
            _ => Err(talk.why()),
        }
    }

    /// What can end it from another thread.
    pub(super) fn stopper(&self) -> TalkStopper {
        self.talk.stopper()
    }

    /// Reads in this character set from now on: `SET client_encoding = 'UTF8';`.
    pub(super) fn set_encoding(&mut self, statement: &str) -> Result<(), Refusal> {
        let local = statement.trim().replacen("SET ", "SET LOCAL ", 1);
        // A reader that rolls back to its savepoint keeps what was set before it.
        let script = match self.is_leader {
            true => local,
            false => format!("RELEASE SAVEPOINT {SAVEPOINT};\n{local}\nSAVEPOINT {SAVEPOINT};"),
        };
        match self.talk.run(script.as_bytes())? {
            Said { refused: None, .. } => Ok(()),
            _ => Err(Refusal::Words("its character set can't be set".to_owned())),
        }
    }

    /// Locks tables as pg_dump does, so that nothing changes them, but waits for nobody, and leaves others room in the server's table
    /// of locks.
    pub(super) fn lock(&mut self, tables: &[Table]) -> Result<(), Refusal> {
        let (most, _) = self.talk.ask(LOCKS)?;
        if !fits(tables.len(), &most) {
            return Err(Refusal::Words("the server's table of locks is too small for so many tables".to_owned()));
        }
        for some in tables.chunks(LOCKED_AT_ONCE) {
            let said = self.talk.run(&[locking(some).as_slice(), b";"].concat())?;
            if said.refused.is_some() {
                return Err(Refusal::Words("a table's lock isn't to be had at once".to_owned()));
            }
        }
        Ok(())
    }

    /// What the server says of these tables, and which version it is of.
    pub(super) fn tell(&mut self, tables: &[Table]) -> Result<(Vec<Told>, u32), Refusal> {
        let oids = tables.iter().map(|table| table.oid.to_string()).collect::<Vec<_>>().join(",");
        let script = format!("SHOW server_version_num;\n{}\n", TELL.replace("{OIDS}", &oids));
        let (answer, said) = self.talk.ask(&script)?;
        let unreadable = || Refusal::Words("the server's answer about its tables can't be read".to_owned());
        if said.refused.is_some() {
            return Err(unreadable());
        }
        let mut lines = answer.lines();
        let version: u32 = lines.next().and_then(|line| line.parse().ok()).ok_or_else(unreadable)?;
        let told = lines.map(serde_json::from_str).collect::<Result<_, _>>().map_err(|_| unreadable())?;
        Ok((told, version / 10_000))
    }

    /// Copies rows of a table, a piece at a time; a reader only if nobody waits for the table's lock.
    pub(super) fn copy(
        &mut self,
        table: &Table,
        pages: Option<Pages>,
        take: impl FnMut(&mut Vec<u8>) -> Result<(), Abandoned>,
    ) -> Result<Said, TalkError> {
        let mut statements = self.locking_again(std::slice::from_ref(table));
        statements.push(table.copy(pages));
        self.talk.copy(&statements, take)
    }

    /// Copies all rows of each of these tables, and shows them; a reader only if nobody waits for one of their locks.
    pub(super) fn copy_each(
        &mut self,
        tables: &[Table],
        mut each: impl FnMut(&Table, &[u8], u64),
    ) -> Result<Said, TalkError> {
        let copies = tables.iter().map(|table| table.copy(None)).collect::<Vec<_>>();
        self.talk.copy_each(&self.locking_again(tables), &copies, |number, text, rows| {
            if let Some(table) = tables.get(number) {
                each(table, text, rows);
            }
        })
    }

    /// What a reader does before it reads; the leader has all locks.
    fn locking_again(&self, tables: &[Table]) -> Vec<Vec<u8>> {
        if self.is_leader { Vec::new() } else { vec![BACK.to_vec(), locking(tables)] }
    }

    /// Whether the session is still there.
    pub(super) fn answers(&mut self) -> Result<(), TalkError> {
        let (_, said) = self.talk.ask("SELECT WHERE false;\n")?;
        if said.refused.is_none() { Ok(()) } else { Err(TalkError::Ended) }
    }

    /// Ends the leader's transaction, which has to be there still: only then did its snapshot and locks last.
    pub(super) fn end(mut self) -> Result<(), DumpError> {
        match self.talk.ask("COMMIT;\n") {
            Ok((_, Said { refused: None, .. })) => Ok(()),
            _ => Err(self.why()),
        }
    }

    /// Why it failed.
    pub(super) fn why(self) -> DumpError {
        self.talk.why()
    }
}

/// Where the leader's psql found the server, for sessions without psql; otherwise why those aren't to be had.
fn address(talk: &mut Script, psql: &Psql) -> Result<Address, String> {
    let (told, _) = talk.ask(RESOLVED).map_err(|error| error.to_string())?;
    let [host, port, user, database, version] = told.lines().collect::<Vec<_>>()[..] else {
        return Err("psql doesn't say where it is connected to".to_owned());
    };
    let is_known = [("HOST", host), ("USER", user), ("DBNAME", database)]
        .into_iter()
        .all(|(name, value)| value.strip_prefix(':') != Some(name) && !value.contains(char::REPLACEMENT_CHARACTER));
    let port = port.parse().ok().filter(|_| is_known).ok_or("psql doesn't say where it is connected to")?;
    if !version.parse().is_ok_and(|version: u32| version >= WITH_GSS_VIEW) {
        return Err("the server is an old one".to_owned());
    }
    let (encrypted, said) = talk.ask(IS_GSS).map_err(|error| error.to_string())?;
    let is_gss = said.refused.is_some() || encrypted.trim() != "f";
    let (host, user, database) = (host.to_owned(), user.to_owned(), database.to_owned());
    Address::of(psql.connection(), &Resolved { host, port, user, database, is_gss }, CONNECT_TIMEOUT)
}

/// How a reader begins.
fn begin(setting: &Setting, further: &str) -> String {
    let (snapshot, settings) = (literal(&setting.snapshot), settings(&setting.honoured));
    format!("{BEGIN}SET TRANSACTION SNAPSHOT {snapshot};\n{settings}{further}SAVEPOINT {SAVEPOINT};\n")
}

/// Locks these tables as pg_dump does, where that can be done at once.
fn locking(tables: &[Table]) -> Vec<u8> {
    let names = tables.iter().map(|table| [b"ONLY ", table.name.as_slice()].concat()).collect::<Vec<_>>();
    [b"LOCK TABLE ", names.join(&b", "[..]).as_slice(), b" IN ACCESS SHARE MODE NOWAIT"].concat()
}

fn settings(honoured: &Honoured) -> String {
    // pg_dump's own, which gives every float back as it was.
    let digits = honoured.float_digits.unwrap_or(3).to_string();
    let role = honoured.role.as_ref().map_or(String::new(), |role| format!("SET LOCAL ROLE {};\n", identifier(role)));
    format!("{}{role}", SETTINGS.replace("{DIGITS}", &digits))
}

/// Whether two sessions may lock so many tables and leave a quarter of the room to everybody else, who would fail without.
fn fits(tables: usize, most: &str) -> bool {
    most.trim().parse::<usize>().is_ok_and(|most| tables <= most / 4 * 3)
}

/// How many readers the server's answer allows; `None`: only one session is to be used. `ended`: the server's process of a session that has
/// ended. If it serves this one as well, a pooler is in between, which has few sessions for all its clients.
fn readers(connections: &str, ended: i32) -> Option<usize> {
    let mut words = connections.trim().split('|');
    let (free, is_limited, pid) = (words.next()?.parse::<usize>().ok()?, words.next()? != "f", words.next()?);
    (!is_limited && pid != ended.to_string()).then_some(free / SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_free_connections_is_taken_and_none_where_they_are_counted() {
        assert_eq!(readers("94|f|7\n", 6), Some(9));
        assert_eq!(readers("19|f|7\n", 6), Some(1));
        assert_eq!(readers("94|t|7\n", 6), None);
        assert_eq!(readers("-3|f|7\n", 6), None);
        assert_eq!(readers("94|f|7\n", 7), None, "behind a pooler");
        assert_eq!(readers("ERROR", 6), None);
    }

    #[test]
    fn a_quarter_of_the_locks_is_left_to_others() {
        assert!(fits(4_800, "6400\n") && !fits(4_801, "6400\n") && !fits(1, "ERROR"));
    }

    #[test]
    fn sessions_set_what_the_users_options_say() {
        let set = settings(&Honoured { role: Some("o\"ne".to_owned()), float_digits: Some(0) });
        assert!(set.contains("('extra_float_digits', '0')") && set.ends_with("SET LOCAL ROLE \"o\"\"ne\";\n"), "{set}");
        assert!(settings(&Honoured::default()).contains("('extra_float_digits', '3')"));
    }
}
