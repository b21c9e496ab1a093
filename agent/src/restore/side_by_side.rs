//! Several pg_restore fill the database side by side, while the archive is still being read.
//!
//! definitions → data, shared out → indexes and constraints. One thread reads the archive, checks it and puts its rows where they wait.
//! Each pg_restore that fills reads a pipe, on which it gets the archive's head and its own share of the data blocks: to it
//! that is an archive in which the rest is missing, and it wasn't asked for the rest. So the rows flow in from the first
//! block on, and no job needs an archive that it can seek in.

use std::any::Any;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread;

use archive::Entry;

use crate::failure::{Exit, Failure};
use crate::postgres::Psql;
use crate::restore::arrived::{Arrived, Divider, GivenUp, HEAD, Piece};
use crate::restore::counts::Counted;
use crate::restore::job::{Feed, Job, program_failure};
use crate::restore::pg_restore::{self, Choice, Part};
use crate::restore::program::Program;
use crate::restore::reading::{ReadingError, Through};
use crate::restore::slots;
use crate::restore::spool::{self, Spool};
use crate::restore::tables;

/// One restore's parts side by side.
struct Filling<'a> {
    job: &'a Job,
    psql: &'a Psql,
    spool: &'a Spool,
    /// The archive without its data blocks, which is all that definitions, indexes and constraints need.
    head: &'a File,
    /// Where data blocks wait.
    rows: &'a File,
    arrived: Arrived,
}

/// What one pg_restore fills in.
#[derive(Debug, Default, PartialEq, Eq)]
struct Share {
    /// In the archive's order.
    pieces: Vec<Piece>,
    weight: u64,
    /// What belongs to the data and has no block as well, such as the sequences' values.
    has_rest: bool,
}

/// Why a part wasn't restored.
enum Stopped {
    /// Another part failed first.
    GivenUp,
    Failed(Failure),
}

/// Fills an empty database, and counts what is in it then.
///
/// # Errors
/// As [`Job::read_through`] and [`Job::count`], and when a pg_restore fails.
pub(super) fn fill(job: &Job, psql: &Psql, spool: &Spool) -> Result<(Through, Vec<Counted>), Failure> {
    let create = || spool.create().map_err(|e| unwritable(&e, &spool.folder));
    let (head, rows) = (create()?, create()?);
    let filling = Filling { job, psql, spool, head: &head, rows: &rows, arrived: Arrived::default() };
    let shares = share_out(&weights(job), spool.jobs);
    let through = thread::scope(|scope| {
        let parts = shares.iter().map(|share| scope.spawn(|| filling.part(share))).collect::<Vec<_>>();
        let defining = scope.spawn(|| filling.define());
        let read = filling.read();
        let panicked = |panic| Err(Stopped::Failed(panicked(panic)));
        let mut ended = vec![defining.join().unwrap_or_else(panicked)];
        ended.extend(parts.into_iter().map(|part| part.join().unwrap_or_else(panicked)));
        // The part that failed says why; the others, and the reader, were only told.
        let failed = ended.into_iter().find_map(|part| match part {
            Err(Stopped::Failed(failure)) => Some(failure),
            Ok(()) | Err(Stopped::GivenUp) => None,
        });
        failed.map_or(read, Err)
    })?;
    job.go_on()?;
    // Indexes and constraints change no rows: a core that has none to build counts in the meantime.
    let counted = thread::scope(|scope| {
        let counting = scope.spawn(|| job.count(psql));
        filling.finish()?;
        counting.join().unwrap_or_else(|panic| Err(panicked(panic)))
    })?;
    Ok((through, counted))
}

impl Filling<'_> {
    /// Reads the archive to its end: its head into a file, its data blocks to where they wait for their rows' turn.
    fn read(&self) -> Result<Through, Failure> {
        let mut divider = Divider::default();
        let read = self.job.read_through(&mut |walk, bytes| {
            for (piece, part) in divider.divide(bytes.len(), walk) {
                self.arrived.reach(piece);
                self.keep(piece, bytes.get(part).unwrap_or_default())?;
            }
            self.arrived.reach(divider.piece());
            Ok(())
        });
        match read {
            Ok(_) => self.arrived.reach(Piece::MAX),
            Err(_) => self.arrived.give_up(),
        }
        read
    }

    fn keep(&self, piece: Piece, bytes: &[u8]) -> io::Result<()> {
        if piece == HEAD {
            let mut head = self.head;
            return head.write_all(bytes).map_err(|e| io::Error::other(self.unwritable(&e)));
        }
        for bytes in bytes.chunks(slots::SLOT) {
            let room = self.arrived.room_for(bytes.len() as u32);
            let chunk = room.map_err(|GivenUp| io::Error::other("a part of the restore failed"))?;
            slots::write(self.rows, &chunk, bytes).map_err(|e| io::Error::other(self.unwritable(&e)))?;
            self.arrived.add(piece, chunk);
        }
        Ok(())
    }

    /// What must be there before the rows, as soon as the archive's head has come.
    fn define(&self) -> Result<(), Stopped> {
        let head = spool::path_of(self.head);
        let waited = self.arrived.wait_for_head().map_err(Stopped::from);
        let defined = waited.and_then(|()| Ok(self.run(&Part::Definitions(&head))?));
        match defined {
            Ok(()) => self.arrived.set_defined(),
            Err(_) => self.arrived.give_up(),
        }
        defined
    }

    /// The rows of one share.
    fn part(&self, share: &Share) -> Result<(), Stopped> {
        let filled = self.arrived.wait_until_defined().map_err(Stopped::from).and_then(|()| self.restore(share));
        if filled.is_err() {
            self.arrived.give_up();
        }
        filled
    }

    fn restore(&self, share: &Share) -> Result<(), Stopped> {
        let list = tables::list_of(self.ids(share))?;
        let choice = Choice { list: Some(list.path().to_owned()), ..self.choice()? };
        let head = &self.job.head;
        let mut command = pg_restore::into_database(&head.pg_restore, self.psql.connection(), &choice, &Part::Data);
        let (mut feed, _) = Feed::start(&mut command, &self.job.interrupt)?;
        match self.hand_on(share, &mut feed) {
            Ok(()) => feed.end().map_err(|e| program_failure(&e).into()),
            Err(stopped) => {
                feed.stop();
                Err(stopped)
            }
        }
    }

    /// To one pg_restore: the head, and its pieces while they are still arriving.
    fn hand_on(&self, share: &Share, feed: &mut Feed<'_>) -> Result<(), Stopped> {
        let mut block = Vec::with_capacity(slots::SLOT);
        let mut from = 0;
        loop {
            block.resize(slots::SLOT, 0);
            let length = self.head.read_at(&mut block, from).map_err(|e| unreadable(&e))?;
            if length == 0 {
                break;
            }
            self.write(feed, block.get(..length).unwrap_or_default())?;
            from += length as u64;
        }
        for piece in &share.pieces {
            while let Some(chunk) = self.arrived.next(*piece)? {
                slots::read(self.rows, &chunk, &mut block).map_err(|e| unreadable(&e))?;
                self.arrived.give_back(chunk);
                self.write(feed, &block)?;
            }
        }
        Ok(())
    }

    fn write(&self, feed: &mut Feed<'_>, bytes: &[u8]) -> Result<(), Stopped> {
        feed.write(bytes).map_err(|e| self.job.explain(ReadingError::Refused(e)).into())
    }

    /// What follows the rows.
    fn finish(&self) -> Result<(), Failure> {
        let (archive, jobs) = (spool::path_of(self.head), self.spool.jobs);
        tracing::info!("the archive is whole and its rows are in; building indexes and constraints with {jobs} jobs");
        self.run(&Part::Finish { archive: &archive, jobs })
    }

    /// Runs a pg_restore that reads the spool by itself.
    fn run(&self, part: &Part<'_>) -> Result<(), Failure> {
        let choice = self.choice()?;
        let tool = &self.job.head.pg_restore;
        let mut command = pg_restore::into_database(tool, self.psql.connection(), &choice, part);
        let started = Program::start("pg_restore", &mut command, &self.job.interrupt);
        let ended = started.and_then(|(program, _)| program.end(&self.job.interrupt));
        ended.map_err(|e| program_failure(&e))
    }

    fn choice(&self) -> Result<Choice, Failure> {
        self.job.choice().map(|(choice, _)| choice)
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        unwritable(error, &self.spool.folder)
    }

    /// The entries of a share.
    fn ids(&self, share: &Share) -> impl Iterator<Item = i32> {
        let mut piece = HEAD;
        self.job.head.contents.iter().filter_map(move |entry| {
            piece += usize::from(entry.has_data());
            let is_its_own = if entry.has_data() { share.pieces.binary_search(&piece).is_ok() } else { share.has_rest };
            is_its_own.then_some(entry.dump_id)
        })
    }
}

/// How much each data block weighs, in the archive's order: its bytes, where a manifest tells.
fn weights(job: &Job) -> Vec<u64> {
    let tables = job.chosen.manifest.iter().flat_map(|manifest| &manifest.census.tables);
    let bytes: HashMap<_, _> = tables.map(|table| ((&table.schema, &table.name), table.bytes)).collect();
    let weight = |entry: &Entry| bytes.get(&(&entry.schema, &entry.name)).copied().unwrap_or(1);
    job.head.contents.iter().filter(|entry| entry.has_data()).map(weight).collect()
}

/// Shares the data blocks out, the heaviest first, each to whoever has least; within a share they keep the archive's order.
fn share_out(weights: &[u64], jobs: usize) -> Vec<Share> {
    let mut shares: Vec<Share> =
        std::iter::repeat_with(Share::default).take(jobs.clamp(1, weights.len().max(1))).collect();
    let mut heaviest: Vec<(Piece, u64)> = (HEAD + 1..).zip(weights.iter().copied()).collect();
    heaviest.sort_by_key(|&(piece, weight)| (std::cmp::Reverse(weight), piece));
    for (piece, weight) in heaviest {
        if let Some(least) = shares.iter_mut().min_by_key(|share| (share.weight, share.pieces.len())) {
            least.pieces.push(piece);
            least.weight = least.weight.saturating_add(weight);
        }
    }
    shares.iter_mut().for_each(|share| share.pieces.sort_unstable());
    shares.iter_mut().take(1).for_each(|share| share.has_rest = true);
    shares
}

fn panicked(_: Box<dyn Any + Send>) -> Failure {
    Failure::new(Exit::Failed, "a part of the restore panicked")
}

fn unwritable(error: &io::Error, folder: &Path) -> Failure {
    Failure::new(Exit::Failed, format!("can't write a temporary file in {}: {error}", folder.display()))
        .hint("set TMPDIR to a folder with room for the whole dump, or restore with --jobs 1")
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("can't read the temporary file back: {error}"))
}

impl From<GivenUp> for Stopped {
    fn from(GivenUp: GivenUp) -> Self {
        Self::GivenUp
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(weights: &[u64], jobs: usize) -> Vec<Vec<Piece>> {
        share_out(weights, jobs).into_iter().map(|share| share.pieces).collect()
    }

    #[test]
    fn data_is_shared_out_evenly_and_each_share_keeps_the_archives_order() {
        assert_eq!(pieces(&[5, 5, 5, 5], 2), [[1, 3], [2, 4]]);
        assert_eq!(pieces(&[1, 1, 10, 1], 2), [vec![3], vec![1, 2, 4]]);
        assert_eq!(pieces(&[0, 0, 0], 3), [[1], [2], [3]]);
        assert_eq!(pieces(&[7], 4), [[1]], "no more shares than blocks");
    }
}
