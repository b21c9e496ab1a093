//! A dump by several sessions at once, into one ordinary archive.
//!
//! The leader's session takes a snapshot and locks the tables. pg_dump, on the same snapshot, writes the archive's head and is ended
//! then. The readers, sessions on that snapshot too, copy the rows of tables, large ones by ranges of pages, and a loom
//! ([`archive::weave`]) gives out the archive that pg_dump would have written. It is whole when every COPY ended with its
//! command tag and the leader's transaction lasted until its end.
//!
//! Whatever stands in the way before rows are read, pg_dump, which runs already, goes on alone. No session ever waits for a lock:
//! whoever holds that up would wait for the leader. A reader that can't have one leaves the rows to the leader, who has it.

mod heading;
mod large_objects;
mod options;
mod plan;
mod said;
mod script;
mod session;
mod start;
mod talk;
mod work;

use std::io::{self, Cursor, Read as _};

use archive::weave::{Thread, block};

use self::plan::{Job, Pages};
pub use self::start::{Readers, Sources};
use self::work::{Rows, Work};
use crate::programs::program::Stopper;
use crate::{Dump, DumpError};

/// A dump under way.
pub enum AnyDump {
    /// pg_dump alone.
    Alone(Box<Alone>),
    /// By several sessions.
    Woven(Box<Woven>),
}

/// pg_dump, which dumps everything by itself.
pub struct Alone {
    dump: Dump,
    /// What it says has not been shown.
    is_quiet: bool,
}

/// A dump by several sessions.
pub struct Woven {
    head: Cursor<Vec<u8>>,
    work: Work,
    /// What stands before the piece: where blocks and chunks begin and end.
    frame: Cursor<Vec<u8>>,
    piece: Cursor<Vec<u8>>,
    /// Pieces are blocks already.
    is_raw: bool,
    warnings: Vec<String>,
    rows: Vec<TableRows>,
    is_over: bool,
}

/// What the server said of a table's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRows {
    /// The table's entry in the archive, in words.
    pub table: String,
    /// The sum of its command tags.
    pub rows: u64,
}

/// A dump that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What pg_dump said on stderr.
    pub warnings: Vec<String>,
    /// What the server said of each table, in the archive's order; `None` where pg_dump was alone.
    pub rows: Option<Vec<TableRows>>,
}

/// Ends a dump from another thread, when nothing wants its bytes any more.
#[derive(Clone)]
pub enum DumpStopper {
    /// pg_dump.
    Alone(Stopper),
    /// All sessions.
    Woven(work::Ender),
}

impl DumpStopper {
    /// Tells everybody to end. Returns at once.
    pub fn stop(&self) {
        match self {
            Self::Alone(stopper) => stopper.stop(),
            Self::Woven(ender) => ender.end(),
        }
    }
}

impl From<Dump> for AnyDump {
    fn from(dump: Dump) -> Self {
        Self::Alone(Box::new(Alone { dump, is_quiet: false }))
    }
}

impl AnyDump {
    /// What can end it from another thread.
    #[must_use]
    pub fn stopper(&self) -> DumpStopper {
        match self {
            Self::Alone(alone) => DumpStopper::Alone(alone.dump.stopper()),
            Self::Woven(woven) => DumpStopper::Woven(woven.work.ender()),
        }
    }

    /// Fills `block` up to `size` bytes. It stays shorter only at the end of the dump, or where that was given up.
    ///
    /// # Errors
    /// When pg_dump's pipe can't be read.
    pub fn fill(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<()> {
        match self {
            Self::Alone(alone) => alone.dump.fill(block, size),
            Self::Woven(woven) => woven.fill(block, size),
        }
    }

    /// Waits for the end after the last byte has been read.
    ///
    /// # Errors
    /// [`DumpError`] for every end but a good one.
    pub fn finish(self) -> Result<Finished, DumpError> {
        match self {
            Self::Alone(alone) => {
                let Alone { dump, is_quiet } = *alone;
                let finished = dump.finish();
                let lines = finished.as_deref().unwrap_or_else(|error| error.lines());
                if is_quiet {
                    lines.iter().for_each(|line| tracing::warn!("{line}"));
                }
                finished.map(|warnings| Finished { warnings, rows: None })
            }
            Self::Woven(woven) => woven.finish(),
        }
    }
}

impl Woven {
    fn fill(&mut self, block: &mut Vec<u8>, size: usize) -> io::Result<()> {
        while block.len() < size {
            let mut read = 0;
            for part in [&mut self.head, &mut self.frame, &mut self.piece] {
                read += part.take((size - block.len()) as u64).read_to_end(block)?;
            }
            if read == 0 && !self.advance() {
                break;
            }
        }
        Ok(())
    }

    /// Takes what comes next from the loom, if there is more.
    fn advance(&mut self) -> bool {
        self.work.loom.recycle(std::mem::take(self.piece.get_mut()));
        self.piece.set_position(0);
        let mut frame = std::mem::take(self.frame.get_mut());
        frame.clear();
        let more = match self.work.loom.weave() {
            Ok(Some(thread)) => {
                self.follow(thread, &mut frame);
                true
            }
            // Why it was given up is told at the end.
            Ok(None) | Err(archive::weave::Abandoned) => false,
        };
        self.is_over = !more;
        self.frame = Cursor::new(frame);
        more
    }

    fn follow(&mut self, thread: Thread<Job, Rows>, frame: &mut Vec<u8>) {
        match thread {
            Thread::Begin(Job::Small(_) | Job::LargeObjects(_)) => self.is_raw = true,
            Thread::Begin(Job::Rows { table, pages }) => {
                if pages.is_none_or(|pages| pages.from == 0) {
                    block::begin(frame, table.dump_id);
                    self.rows.push(TableRows { table: table.shown.clone(), rows: 0 });
                }
            }
            Thread::Piece(piece) => {
                if !self.is_raw {
                    block::chunk(frame, piece.len());
                }
                self.piece = Cursor::new(piece);
            }
            Thread::End { job: Job::LargeObjects(_), .. } => self.is_raw = false,
            Thread::End { job: Job::Small(tables), outcome } => {
                self.is_raw = false;
                let told = tables.iter().zip(outcome);
                self.rows.extend(told.map(|(table, rows)| TableRows { table: table.shown.clone(), rows }));
            }
            Thread::End { job: Job::Rows { pages, .. }, outcome } => {
                if let Some(last) = self.rows.last_mut() {
                    last.rows = outcome.iter().fold(last.rows, |sum, rows| sum.saturating_add(*rows));
                }
                if matches!(pages, None | Some(Pages { to: None, .. })) {
                    block::end(frame);
                }
            }
        }
    }

    fn finish(self) -> Result<Finished, DumpError> {
        let Self { work, warnings, rows, is_over, .. } = self;
        work.finish(is_over)?;
        Ok(Finished { warnings, rows: Some(rows) })
    }
}
