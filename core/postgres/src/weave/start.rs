//! The beginning of a dump by several sessions, up to where rows are read; and every reason to let pg_dump go on alone.

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use archive::weave::{Head, Loom};

use super::heading::{self, Begun};
use super::options::{self, Honoured};
use super::plan::{self, Table};
use super::said::PIECE;
use super::session::{Refusal, Session, Setting};
use super::work::{Shared, Work};
use super::{Alone, AnyDump, Woven};
use crate::programs::pg_dump::DumpOptions;
use crate::{Dump, DumpError, Psql, Tool};

/// How long readers may take to get their sessions, once the head has been read. Who comes later isn't waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that may wait for their turn, for each reader.
const ROOM: usize = 8 << 20;
/// A database that is smaller is dumped before several sessions have begun.
const WORTH_IT: u64 = 64 << 20;
/// Character sets of clients alone, in whose characters a backslash may be.
const EMBEDDING: [&str; 7] = ["BIG5", "GB18030", "GBK", "JOHAB", "SHIFT_JIS_2004", "SJIS", "UHC"];

/// What dumps, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The pg_dump.
    pub tool: &'a Tool,
    /// Connected to the database.
    pub psql: &'a Psql,
    /// How to dump.
    pub options: &'a DumpOptions,
    /// The server's process that answered a session before, which has ended.
    pub ended: i32,
}

/// How many sessions read rows at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// So many, and one where the database, of so many bytes, isn't worth more.
    Usual(NonZeroUsize, Option<u64>),
    /// So many, however small the database is.
    Exactly(NonZeroUsize),
}

impl Readers {
    fn wanted(self) -> usize {
        match self {
            Self::Usual(_, Some(size)) if size < WORTH_IT => 1,
            Self::Usual(wanted, _) | Self::Exactly(wanted) => wanted.get(),
        }
    }
}

impl Sources<'_> {
    /// Starts a dump by so many sessions, or by pg_dump alone where that isn't to be had.
    ///
    /// # Errors
    /// [`DumpError`] when pg_dump can't be run, fails before it has written the archive's head, or the run is told to stop.
    pub fn dump(&self, readers: Readers) -> Result<AnyDump, DumpError> {
        let Self { tool, psql, options, .. } = *self;
        let begun = match options::honoured(&options.extra) {
            _ if readers.wanted() < 2 => Err(None),
            Err(word) => Err(Some(format!("{word} is an option for pg_dump alone"))),
            Ok(honoured) => match Session::lead((psql, self.ended), &honoured, readers.wanted()) {
                Err(error @ DumpError::Interrupted(_)) => return Err(error),
                Err(error) => Err(Some(error.to_string())),
                Ok((_, _, ..2)) => Err(Some("the server has no connections to spare".to_owned())),
                Ok(led) => Ok((honoured, led)),
            },
        };
        match begun {
            Ok((honoured, (leader, setting, count))) => self.follow(honoured, leader, (setting, count)),
            Err(why) => {
                why.iter().for_each(|why| alone(why));
                Dump::start(tool, psql.connection(), options, psql.stop()).map(AnyDump::from)
            }
        }
    }

    /// pg_dump and the readers, on the leader's snapshot.
    fn follow(
        &self,
        honoured: Honoured,
        leader: Session,
        (setting, count): (Setting, usize),
    ) -> Result<AnyDump, DumpError> {
        let Self { tool, psql, options, .. } = *self;
        let mut on_snapshot = options.clone();
        on_snapshot.extra.push(format!("--snapshot={}", setting.snapshot));
        let mut dump = Dump::start_quietly(tool, psql.connection(), &on_snapshot, psql.stop())?;
        let coming = followers(psql, &setting, count);
        let Some(Begun { head, read }) = heading::begin(&mut dump) else { return Err(ended_early(dump)) };
        let Setting { snapshot, .. } = setting;
        let prepared = head.and_then(|head| prepared(head, leader, &coming));
        let Prepared { head, leader, tables, large_objects, readers } = match prepared {
            Ok(prepared) if !dump.has_ended() => prepared,
            // Its locks are gone, and what it wrote is all there is, or it failed.
            ended => {
                alone(&ended.err().unwrap_or_else(|| "it had them all before other sessions could begin".to_owned()));
                dump.unread(read);
                return Ok(AnyDump::Alone(Box::new(Alone { dump, is_quiet: true })));
            }
        };
        let warnings = dump.end();
        warnings.iter().for_each(|line| tracing::warn!("{line}"));
        let loom = Loom::new(plan::jobs(tables, large_objects), ROOM.max(PIECE) * readers.len());
        let (connection, stop) = (psql.connection().clone(), psql.stop().clone());
        let shared = Shared { tool: tool.clone(), connection, stop, snapshot, role: honoured.role };
        tracing::info!("{} sessions read rows at the same time", readers.len());
        let work = Work::start(shared, loom, leader, readers)?;
        Ok(AnyDump::Woven(Box::new(Woven {
            head: Cursor::new(head.bytes),
            work,
            frame: Cursor::default(),
            piece: Cursor::default(),
            is_raw: false,
            warnings,
            rows: Vec::new(),
            is_over: false,
        })))
    }
}

/// All that is needed to read rows.
struct Prepared {
    head: Head,
    leader: Session,
    tables: Vec<Table>,
    large_objects: Vec<i32>,
    readers: Vec<Session>,
}

/// Locks the tables while pg_dump holds its own locks, and waits for the readers.
///
/// # Errors
/// Why pg_dump should go on alone, in words.
fn prepared(head: Head, mut leader: Session, coming: &Receiver<Session>) -> Result<Prepared, String> {
    let (mut tables, large_objects) = plan::promised(&head)?;
    let encoding =
        head.encoding.as_deref().filter(|set| !EMBEDDING.iter().any(|name| set.contains(&format!("'{name}'"))));
    let encoding = encoding.ok_or("the archive's character set isn't one of servers")?;
    let told = leader.set_encoding(encoding).and_then(|()| leader.lock(&tables)).and_then(|()| leader.tell(&tables));
    let (told, major) = told.map_err(words)?;
    plan::tell(&mut tables, &told, major)?;
    let mut readers = Vec::new();
    let until = Instant::now() + PATIENCE;
    while let Ok(mut reader) = coming.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if reader.set_encoding(encoding).is_ok() {
            readers.push(reader);
        }
    }
    if readers.len() < 2 {
        return Err("no more sessions were to be had".to_owned());
    }
    Ok(Prepared { head, leader, tables, large_objects, readers })
}

/// Readers, as they get their sessions. Those that nobody waits for any more end.
fn followers(psql: &Psql, setting: &Setting, count: usize) -> Receiver<Session> {
    let (come, coming) = channel();
    for _ in 0..count {
        let (psql, setting, come) = (psql.clone(), setting.clone(), come.clone());
        let follow = move || match Session::follow(&psql, &setting) {
            Ok(session) => drop(come.send(session)),
            Err(error) => tracing::info!("{error}"),
        };
        if let Err(error) = std::thread::Builder::new().name("reader".to_owned()).spawn(follow) {
            tracing::info!("{error}");
        }
    }
    coming
}

/// Why a pg_dump has ended that should still write.
fn ended_early(dump: Dump) -> DumpError {
    let lines = vec!["pg_dump ended before its time".to_owned()];
    match dump.finish() {
        Err(error) => {
            error.lines().iter().for_each(|line| tracing::warn!("{line}"));
            error
        }
        Ok(_) => DumpError::Session { lines },
    }
}

fn words(refusal: Refusal) -> String {
    match refusal {
        Refusal::Words(words) => words,
        Refusal::Gone => "the session that leads the dump ended".to_owned(),
    }
}

fn alone(why: &str) {
    tracing::info!("pg_dump reads all rows by itself: {why}");
}
