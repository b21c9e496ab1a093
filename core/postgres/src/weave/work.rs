//! The threads of a dump by several sessions: one for each reader, and the leader's.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use archive::weave::{Abandoned, Loom, Strand, Turned, block};

use super::large_objects::LargeObjectsDump;
use super::plan::{Job, Pages, Table};
use super::said::{PIECE, Said, TalkError};
use super::session::{LOCK_NOT_AVAILABLE, Session};
use super::talk::TalkStopper;
use crate::programs::program::ProgramError;
use crate::{Connection, DumpError, Stop, Tool};

/// How long the leader's connection may be silent: who forwards connections forgets those that are, some after minutes.
const SILENCE: Duration = Duration::from_secs(30);

/// How many rows of each of a strand's tables the server said that it sent.
pub(super) type Rows = Vec<u64>;

/// What all threads of a dump know.
pub(super) struct Shared {
    pub(super) tool: Tool,
    pub(super) connection: Connection,
    pub(super) stop: Stop,
    pub(super) snapshot: String,
    pub(super) role: Option<String>,
}

/// The threads, and what they work on.
pub(super) struct Work {
    pub(super) loom: Arc<Loom<Job, Rows>>,
    ender: Ender,
    failure: Failure,
    stop: Stop,
    readers: Vec<JoinHandle<()>>,
    leader: Option<JoinHandle<Option<Session>>>,
}

/// Ends everybody's work from another thread.
#[derive(Clone)]
pub struct Ender {
    loom: Arc<Loom<Job, Rows>>,
    stoppers: Arc<Mutex<Vec<TalkStopper>>>,
}

impl Ender {
    /// Tells everybody to end. Returns at once.
    pub(super) fn end(&self) {
        self.loom.abandon();
        self.stoppers.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(TalkStopper::stop);
    }

    fn add(&self, stopper: TalkStopper) {
        self.stoppers.lock().unwrap_or_else(PoisonError::into_inner).push(stopper);
    }
}

/// The first reason why the dump isn't whole.
#[derive(Clone, Default)]
struct Failure(Arc<Mutex<Option<DumpError>>>);

impl Failure {
    fn set(&self, error: DumpError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn take(&self) -> Option<DumpError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// One thread's work.
struct Worker {
    shared: Arc<Shared>,
    loom: Arc<Loom<Job, Rows>>,
    ender: Ender,
    failure: Failure,
    is_leader: bool,
}

/// Why a thread stops.
enum End {
    /// Somebody else has failed.
    Abandoned,
    Failed(DumpError),
    /// The session's words tell.
    Session,
}

impl From<Abandoned> for End {
    fn from(_: Abandoned) -> Self {
        Self::Abandoned
    }
}

impl From<DumpError> for End {
    fn from(error: DumpError) -> Self {
        Self::Failed(error)
    }
}

impl Work {
    /// Starts the threads.
    pub(super) fn start(
        shared: Shared,
        loom: Loom<Job, Rows>,
        leader: Session,
        readers: Vec<Session>,
    ) -> Result<Self, DumpError> {
        let (shared, loom) = (Arc::new(shared), Arc::new(loom));
        let stoppers = readers.iter().chain([&leader]).map(Session::stopper).collect();
        let ender = Ender { loom: Arc::clone(&loom), stoppers: Arc::new(Mutex::new(stoppers)) };
        let stop = shared.stop.clone();
        let (failure, mut threads) = (Failure::default(), Vec::new());
        let worker = |is_leader| Worker {
            shared: Arc::clone(&shared),
            loom: Arc::clone(&loom),
            ender: ender.clone(),
            failure: failure.clone(),
            is_leader,
        };
        let mut this = Self {
            loom: Arc::clone(&loom),
            ender: ender.clone(),
            failure: failure.clone(),
            stop,
            readers: Vec::new(),
            leader: None,
        };
        for session in readers {
            let worker = worker(false);
            threads.push(thread("reader", move || drop(worker.read_all(session))));
        }
        let worker = worker(true);
        this.leader = Some(thread("leader", move || worker.read_all(leader))?);
        this.readers = threads.into_iter().collect::<Result<_, _>>()?;
        Ok(this)
    }

    pub(super) fn ender(&self) -> Ender {
        self.ender.clone()
    }

    /// Waits for the threads. `is_over`: everything has been given out.
    pub(super) fn finish(mut self, is_over: bool) -> Result<(), DumpError> {
        if !is_over {
            self.ender.end();
        }
        let leader = self.join();
        match (self.failure.take(), self.stop.signal(), leader) {
            (_, Some(signal), _) => Err(DumpError::Interrupted(signal)),
            (Some(error), None, _) => Err(error),
            (None, None, Some(leader)) if is_over => leader.end(),
            (None, None, _) => Err(gone("the dump was given up")),
        }
    }

    fn join(&mut self) -> Option<Session> {
        for reader in self.readers.drain(..) {
            if reader.join().is_err() {
                self.failure.set(gone("a thread that reads rows died"));
            }
        }
        self.leader.take()?.join().ok().flatten()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if self.leader.is_some() || !self.readers.is_empty() {
            self.ender.end();
            self.join();
        }
    }
}

impl Worker {
    /// Reads strand after strand; the session, where all went well.
    fn read_all(&self, mut session: Session) -> Option<Session> {
        loop {
            let done = match self.next() {
                Turned::Strand(strand) => self.read(&mut session, &strand),
                Turned::NotYet => session.answers().map_err(|_| End::Session),
                Turned::Over => return Some(session),
            };
            let error = match done {
                Ok(()) => continue,
                Err(End::Abandoned) => return None,
                Err(End::Failed(error)) => error,
                Err(End::Session) => session.why(),
            };
            self.failure.set(error);
            self.ender.end();
            return None;
        }
    }

    fn next(&self) -> Turned<Job> {
        match self.is_leader {
            true => self.loom.turned(SILENCE),
            false => self.loom.take().map_or(Turned::Over, Turned::Strand),
        }
    }

    fn read(&self, session: &mut Session, strand: &Strand<Job>) -> Result<(), End> {
        match &strand.job {
            Job::Rows { table, pages } => self.read_rows(session, strand, (table, *pages)),
            Job::Small(tables) => self.read_small(session, strand, tables),
            Job::LargeObjects(dump_ids) => self.read_large_objects(strand, dump_ids),
        }
    }

    fn read_rows(
        &self,
        session: &mut Session,
        strand: &Strand<Job>,
        (table, pages): (&Table, Option<Pages>),
    ) -> Result<(), End> {
        let mut has_rows = false;
        let said = session.copy(table, pages, |block| {
            has_rows = true;
            self.loom.put(strand, std::mem::replace(block, self.loom.buffer()))
        });
        match said {
            Ok(Said { refused: None, rows }) => {
                self.loom.end(strand, vec![rows]);
                Ok(())
            }
            Ok(Said { refused: Some(state), .. }) if state == LOCK_NOT_AVAILABLE && !has_rows && !self.is_leader => {
                tracing::debug!("{} is read by the leader: somebody waits for its lock", table.shown);
                self.loom.hand_back(strand);
                Ok(())
            }
            Ok(_) | Err(TalkError::Ended) => Err(End::Session),
            Err(TalkError::Abandoned(_)) => Err(End::Abandoned),
        }
    }

    /// Whole blocks of small tables, in one piece.
    fn read_small(&self, session: &mut Session, strand: &Strand<Job>, tables: &[Table]) -> Result<(), End> {
        let (mut blocks, mut rows) = (self.loom.buffer(), Vec::with_capacity(tables.len()));
        let said = session.copy_each(tables, |table, text, count| {
            block::begin(&mut blocks, table.dump_id);
            if !text.is_empty() {
                block::chunk(&mut blocks, text.len());
                blocks.extend_from_slice(text);
            }
            block::end(&mut blocks);
            rows.push(count);
        });
        match said {
            Ok(Said { refused: None, .. }) => {
                self.loom.put(strand, blocks)?;
                self.loom.end(strand, rows);
                Ok(())
            }
            Ok(Said { refused: Some(state), .. }) if state == LOCK_NOT_AVAILABLE && !self.is_leader => {
                tracing::debug!("{} small tables are read by the leader: somebody waits for a lock", tables.len());
                self.loom.hand_back(strand);
                Ok(())
            }
            Ok(_) | Err(_) => Err(End::Session),
        }
    }

    fn read_large_objects(&self, strand: &Strand<Job>, dump_ids: &[i32]) -> Result<(), End> {
        let Shared { tool, connection, stop, snapshot, role } = &*self.shared;
        let from = (tool, connection, stop);
        let mut dump = LargeObjectsDump::start(from, (snapshot, role.as_deref()), dump_ids)?;
        self.ender.add(TalkStopper::Program(dump.stopper()));
        while let Some(piece) = dump.next(self.loom.buffer(), PIECE)? {
            self.loom.put(strand, piece)?;
        }
        dump.finish()?;
        self.loom.end(strand, Vec::new());
        Ok(())
    }
}

fn thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, DumpError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map_err(|e| ProgramError::Run { name: "psql", cause: e.to_string() }.into())
}

fn gone(words: &str) -> DumpError {
    DumpError::Session { lines: vec![words.to_owned()] }
}
