//! Several pg_restore fill the database side by side, while the archive is still being read.
//!
//! definitions → data, shared out → indexes and constraints. One thread reads the archive, checks it and puts its rows where they wait.
//! Each pg_restore that fills reads a pipe, on which it gets the archive's head and its own share of the data blocks: to it
//! that is an archive in which the rest is missing, and it wasn't asked for the rest. So the rows flow in from the first
//! block on, and no job needs an archive that it can seek in.

use std::any::Any;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;

use postgres::Psql;
use postgres::database::counts::Counted;
use postgres::programs::pg_restore::{self, Choice, Part};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::counting::Counting;
use crate::commands::restore::fill::feed::Feed;
use crate::commands::restore::fill::paths::Paths;
use crate::commands::restore::fill::relay::{Cancelled, Relay};
use crate::commands::restore::fill::share::{Share, share_out, weights};
use crate::commands::restore::fill::splitter::{Block, HEAD, Splitter};
use crate::commands::restore::fill::unfilled::Unfilled;
use crate::commands::restore::fill::{in_parts, slots, spool};
use crate::commands::restore::job::Job;
use crate::commands::restore::reading::{Through, filled};
use crate::commands::restore::tables;

/// One restore's parts side by side.
struct Filling<'a> {
    job: &'a Job,
    psql: &'a Psql,
    jobs: usize,
    /// Where temporary files are made.
    folder: &'a Path,
    /// The archive without its data blocks, which is all that definitions, indexes and constraints need.
    head: &'a File,
    /// Where data blocks wait.
    rows: &'a File,
    relay: Relay,
    paths: Paths,
}

/// Why a part wasn't restored.
enum Stopped {
    /// Another part failed first.
    Cancelled,
    Failed(Failure),
    /// The database didn't take the rows.
    Refused(Failure),
}

/// Fills an empty database, and counts what is in it then.
///
/// # Errors
/// As [`Job::read_through`] and [`Counting::begin`], and when a pg_restore fails.
pub(super) fn fill(job: &Job, psql: &Psql, jobs: usize, folder: &Path) -> Result<(Through, Vec<Counted>), Unfilled> {
    let (head, rows) = (spool::create(folder)?, spool::create(folder)?);
    let filling =
        Filling { job, psql, jobs, folder, head: &head, rows: &rows, relay: Relay::default(), paths: Paths::default() };
    let shares = share_out(&weights(job), jobs);
    let through = thread::scope(|scope| {
        let parts = shares.iter().map(|share| scope.spawn(|| filling.part(share))).collect::<Vec<_>>();
        let defining = scope.spawn(|| filling.define());
        let read = filling.read();
        let panicked = |panic| Err(Stopped::Failed(panicked(panic)));
        let mut ended = vec![defining.join().unwrap_or_else(panicked)];
        ended.extend(parts.into_iter().map(|part| part.join().unwrap_or_else(panicked)));
        why(ended).map_or_else(|| read.map_err(|stopped| stopped.into_unfilled()), Err)
    })?;
    job.go_on()?;
    let census = &through.walked.census;
    let counting = if !job.facts.target.role.superuser && job.facts.head.entries("ROW SECURITY").next().is_some() {
        // It comes with the indexes: until then nothing hides rows from a count.
        let counting = Counting::begin(job, psql, census)?;
        filling.finish()?;
        counting
    } else {
        // Indexes and constraints change no rows: a core that has none to build counts in the meantime.
        thread::scope(|scope| {
            let counting = scope.spawn(|| Counting::begin(job, psql, census));
            filling.finish()?;
            counting.join().unwrap_or_else(|panic| Err(panicked(panic)))
        })?
    };
    let counted = counting.end(job, psql)?;
    Ok((through, counted))
}

/// The part that failed says why; the others were only told. A refusal counts where nothing else went wrong.
fn why(parts: Vec<Result<(), Stopped>>) -> Option<Unfilled> {
    let mut refused = None;
    for part in parts {
        match part {
            Err(Stopped::Failed(failure)) => return Some(Unfilled::Failed(failure)),
            Err(Stopped::Refused(failure)) if refused.is_none() => refused = Some(Unfilled::Refused(failure)),
            _ => {}
        }
    }
    refused
}

/// Failures of a pg_restore that filled in rows which another order of the rows would not mend.
const HOPELESS: [&str; 7] = [
    "permission denied",
    "must be owner of",
    "No space left on device",
    "out of memory",
    "out of shared memory",
    "terminating connection",
    "server closed the connection",
];

/// What came of handing rows to the database. pg_restore names the statement that was refused, in whatever language: a program
/// that breaks otherwise is not tried again.
fn refused(failure: Failure) -> Stopped {
    let is_of_rows = failure.error.contains("COPY ");
    if !is_of_rows || HOPELESS.iter().any(|words| failure.error.contains(words)) {
        return Stopped::Failed(failure);
    }
    Stopped::Refused(failure)
}

impl Filling<'_> {
    /// Reads the archive to its end: its head into a file, its data blocks to where they wait for their rows' turn.
    fn read(&self) -> Result<Through, Stopped> {
        let mut splitter = Splitter::default();
        let mut editor = self.job.plan.edits.begin();
        let blocks = self.job.facts.head.data_blocks();
        let read = self.job.read_through(|walk, bytes| {
            for (block, part) in splitter.split(bytes, walk) {
                self.relay.reach(block);
                match block {
                    HEAD => self.keep_head(&editor.pass(part))?,
                    // The contents a second time, which nobody fetches.
                    _ if block > blocks => {}
                    _ => self.keep(block, part)?,
                }
            }
            self.relay.reach(splitter.block());
            Ok(())
        });
        match read {
            Ok(_) => self.relay.reach(Block::MAX),
            Err(_) => self.relay.cancel(),
        }
        read
    }

    fn keep_head(&self, bytes: &[u8]) -> Result<(), Stopped> {
        let mut head = self.head;
        Ok(head.write_all(bytes).map_err(|e| spool::unwritable(&e, self.folder))?)
    }

    fn keep(&self, block: Block, bytes: &[u8]) -> Result<(), Stopped> {
        for bytes in bytes.chunks(slots::SLOT_SIZE) {
            let slot = self.relay.take_slot(bytes.len() as u32)?;
            slots::write(self.rows, &slot, bytes).map_err(|e| spool::unwritable(&e, self.folder))?;
            self.relay.add(block, slot);
        }
        Ok(())
    }

    /// What must be there before the rows, as soon as the archive's head has come.
    fn define(&self) -> Result<(), Stopped> {
        let head = spool::path_of(self.head);
        let waited = self.relay.wait_for_head().map_err(Stopped::from);
        let define = || {
            in_parts::define(self.job, self.psql, &head)?;
            self.paths.give(self.job, self.psql)
        };
        let defined = waited.and_then(|()| Ok(define()?));
        match defined {
            Ok(()) => self.relay.set_defined(),
            Err(_) => self.relay.cancel(),
        }
        defined
    }

    /// The rows of one share.
    fn part(&self, share: &Share) -> Result<(), Stopped> {
        let filled = self.relay.wait_until_defined().map_err(Stopped::from).and_then(|()| self.restore(share));
        if filled.is_err() {
            self.relay.cancel();
        }
        filled
    }

    fn restore(&self, share: &Share) -> Result<(), Stopped> {
        let list = tables::list_of(self.ids(share))?;
        let choice = Choice { list: Some(list.path().to_owned()), ..self.choice()? };
        let head = &self.job.facts.head;
        let mut command = pg_restore::into_database(&head.pg_restore, self.psql.connection(), &choice, &Part::Data);
        let (mut feed, _) = Feed::start(&mut command, &self.job.interrupt)?;
        match self.hand_on(share, &mut feed) {
            Ok(()) => feed.end().map_err(refused),
            Err(stopped) => {
                feed.stop();
                Err(stopped)
            }
        }
    }

    /// To one pg_restore: the head, and its blocks while they are still arriving.
    fn hand_on(&self, share: &Share, feed: &mut Feed) -> Result<(), Stopped> {
        let mut buffer = Vec::with_capacity(slots::SLOT_SIZE);
        let mut from = 0;
        loop {
            buffer.resize(slots::SLOT_SIZE, 0);
            let length = self.head.read_at(&mut buffer, from).map_err(|e| spool::unreadable(&e))?;
            if length == 0 {
                break;
            }
            feed.write(filled(&buffer, length).map_err(|e| spool::unreadable(&e))?).map_err(refused)?;
            from += length as u64;
        }
        for block in &share.blocks {
            while let Some(slot) = self.relay.next(*block)? {
                slots::read(self.rows, &slot, &mut buffer).map_err(|e| spool::unreadable(&e))?;
                self.relay.give_back(slot);
                feed.write(&buffer).map_err(refused)?;
            }
        }
        Ok(())
    }

    /// What follows the rows.
    fn finish(&self) -> Result<(), Failure> {
        let (archive, jobs) = (spool::path_of(self.head), self.jobs);
        tracing::info!("the archive is whole and its rows are in; building indexes and constraints with {jobs} jobs");
        in_parts::finish(self.job, self.psql, &archive, jobs)?;
        self.paths.take_away(self.psql)
    }

    fn choice(&self) -> Result<Choice, Failure> {
        self.job.choice().map(|(choice, _)| choice)
    }

    /// The entries of a share.
    fn ids(&self, share: &Share) -> impl Iterator<Item = i32> {
        let mut block = HEAD;
        self.job.facts.head.contents.iter().filter_map(move |entry| {
            block += usize::from(entry.has_data());
            let is_its_own = if entry.has_data() { share.blocks.binary_search(&block).is_ok() } else { share.has_rest };
            is_its_own.then_some(entry.dump_id)
        })
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Failure {
    Failure::new(Exit::Failed, "a part of the restore panicked")
}

impl From<Cancelled> for Stopped {
    fn from(Cancelled: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Stopped {
    fn into_unfilled(self) -> Unfilled {
        match self {
            Self::Failed(failure) => Unfilled::Failed(failure),
            Self::Refused(failure) => Unfilled::Refused(failure),
            Self::Cancelled => {
                Unfilled::Failed(Failure::new(Exit::Failed, "a part of the restore failed and did not say why"))
            }
        }
    }
}
