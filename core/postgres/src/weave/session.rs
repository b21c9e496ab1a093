//! The sessions of one dump: the leader, whose snapshot and locks they all stand on, and the readers.

use archive::weave::Abandoned;

use crate::programs::program::Stopper;
use crate::quote::{identifier, literal};
use crate::weave::options::Honoured;
use crate::weave::plan::{TELL, Table, Told};
use crate::weave::talk::{Said, Talk, TalkError};
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
    AS s(n, v) WHERE pg_catalog.current_setting(n, true) IS NOT NULL \\g /dev/null\n";
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\n";
/// Readers back out of a table's lock to it.
const SAVEPOINT: &str = "lastgood";
/// Back to it, before a statement of the same line.
const BACK: &str = "ROLLBACK TO SAVEPOINT lastgood\\; ";
/// What PostgreSQL answers when somebody waits for a lock that comes before ours.
pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
/// How many connections are free, whether the role's or the database's are counted by a limit. What others do shows only as a number. And the server's process.
const CONNECTIONS: &str = "SELECT pg_catalog.current_setting('max_connections')::int
    - pg_catalog.current_setting('superuser_reserved_connections')::int
    - (SELECT pg_catalog.count(datid) FROM pg_catalog.pg_stat_activity),
    EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = session_user AND rolconnlimit >= 0)
    OR EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database() AND datconnlimit >= 0),
    pg_catalog.pg_backend_pid();\n";
/// Rows go where everything goes, but by a way of their own: psql forgets the command tag of what it writes to its stdout.
const OUT: &str = " \\g /dev/fd/1\n";
/// A row to try that way with.
const TRIAL: &str = "COPY (SELECT 'tried') TO STDOUT";
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
        let mut talk = Talk::start(psql)?;
        let script = format!("{BEGIN}{}SELECT pg_catalog.pg_export_snapshot();\n", settings(honoured));
        let asked = talk.ask(&script).and_then(|(snapshot, said)| Ok((snapshot, said, talk.ask(CONNECTIONS)?)));
        let Ok((snapshot, Said { refused: None, .. }, (connections, _))) = asked else { return Err(talk.why()) };
        let tried = talk.ask(&format!("{TRIAL}{OUT}"));
        if !tried.is_ok_and(|tried| tried == ("tried\n".to_owned(), Said { refused: None, rows: 1 })) {
            return Err(talk.why());
        }
        let setting = Setting { honoured: honoured.clone(), snapshot: snapshot.trim().to_owned() };
        let readers = readers(&connections, ended).map_or(1, |most| most.min(wanted));
        Ok((Self { talk, is_leader: true }, setting, readers))
    }

    /// A reader's session.
    pub(super) fn follow(psql: &Psql, setting: &Setting) -> Result<Self, DumpError> {
        let mut talk = Talk::start(psql)?;
        let snapshot = literal(&setting.snapshot);
        let script = format!(
            "{BEGIN}SET TRANSACTION SNAPSHOT {snapshot};\n{}SAVEPOINT {SAVEPOINT};\n",
            settings(&setting.honoured)
        );
        match talk.ask(&script) {
            Ok((_, Said { refused: None, .. })) => Ok(Self { talk, is_leader: false }),
            _ => Err(talk.why()),
        }
    }

    /// What can end it from another thread.
    pub(super) fn stopper(&self) -> Stopper {
        self.talk.stopper()
    }

    /// Reads in this character set from now on: `SET client_encoding = 'UTF8';`.
    pub(super) fn set_encoding(&mut self, statement: &str) -> Result<(), Refusal> {
        let local = statement.trim().replacen("SET ", "SET LOCAL ", 1);
        // A reader that rolls back to its savepoint keeps what was set before it.
        let script = match self.is_leader {
            true => format!("{local}\n"),
            false => format!("RELEASE SAVEPOINT {SAVEPOINT};\n{local}\nSAVEPOINT {SAVEPOINT};\n"),
        };
        self.run(&script, "its character set can't be set")
    }

    /// Locks tables as pg_dump does, so that nothing changes them, but waits for nobody.
    pub(super) fn lock(&mut self, tables: &[Table]) -> Result<(), Refusal> {
        for some in tables.chunks(LOCKED_AT_ONCE) {
            let script = [locking(some).as_slice(), b";\n"].concat();
            let said = self.talk.read(&script, |_| Ok(()))?;
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
        statement: &[u8],
        take: impl FnMut(&mut Vec<u8>) -> Result<(), Abandoned>,
    ) -> Result<Said, TalkError> {
        let script = match self.is_leader {
            true => [statement, OUT.as_bytes()].concat(),
            false => {
                let lock = [BACK.as_bytes(), &locking(std::slice::from_ref(table)), b"\\; "].concat();
                [lock.as_slice(), statement, OUT.as_bytes()].concat()
            }
        };
        self.talk.read(&script, take)
    }

    /// Copies all rows of each of these tables, and shows them; a reader only if nobody waits for one of their locks. How it ended, where
    /// it ended badly.
    pub(super) fn copy_each(
        &mut self,
        tables: &[Table],
        mut each: impl FnMut(&Table, &[u8], u64),
    ) -> Result<Option<Said>, TalkError> {
        let lock = match self.is_leader {
            // It has them.
            true => b"SELECT WHERE false;".to_vec(),
            false => [BACK.as_bytes(), &locking(tables), b";"].concat(),
        };
        let copies = tables.iter().map(|table| [table.copy(None).as_slice(), OUT.as_bytes()].concat());
        let mut bad = None;
        self.talk.read_each([lock].into_iter().chain(copies), |number, text, said| {
            if said.refused.is_some() {
                bad.get_or_insert(said);
            } else if let Some(table) = number.checked_sub(1).and_then(|number| tables.get(number)) {
                each(table, text, said.rows);
            }
        })?;
        Ok(bad)
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

    fn run(&mut self, script: &str, otherwise: &str) -> Result<(), Refusal> {
        match self.talk.ask(script)? {
            (_, Said { refused: None, .. }) => Ok(()),
            _ => Err(Refusal::Words(otherwise.to_owned())),
        }
    }
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
    fn sessions_set_what_the_users_options_say() {
        let set = settings(&Honoured { role: Some("o\"ne".to_owned()), float_digits: Some(0) });
        assert!(set.contains("('extra_float_digits', '0')") && set.ends_with("SET LOCAL ROLE \"o\"\"ne\";\n"), "{set}");
        assert!(settings(&Honoured::default()).contains("('extra_float_digits', '3')"));
    }
}
