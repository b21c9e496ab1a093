//! Several pg_restore fill the database side by side, while the archive is still being read.
//!
//! definitions → data, shared out, and indexes and keys of what is in → everything else. One thread reads the archive, checks it and puts its rows where they wait.
//! Each pg_restore that fills reads a pipe, on which it gets the archive's head and its own share of the data blocks: to it
//! that is an archive in which the rest is missing, and it wasn't asked for the rest. So the rows flow in from the first
//! block on, and no job needs an archive that it can seek in.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Once, OnceLock};
use std::thread::{self, ScopedJoinHandle};

use ::archive::Entry;
use postgres::Psql;
use postgres::database::counts::Counted;
use postgres::programs::pg_restore::{self, Choice, Part};
use postgres::programs::program::{Pipes, Program};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::counting::Counting;
use crate::commands::restore::failure;
use crate::commands::restore::fill::crew::{Crew, Piece};
use crate::commands::restore::fill::feed::Feed;
use crate::commands::restore::fill::heads::Heads;
use crate::commands::restore::fill::paths::Paths;
use crate::commands::restore::fill::relay::Relay;
use crate::commands::restore::fill::schedule::{Schedule, Wording, tasks};
use crate::commands::restore::fill::share::{Share, share_out, split, weights};
use crate::commands::restore::fill::splitter::{Block, HEAD, Splitter};
use crate::commands::restore::fill::stopped::{Stopped, deadlocked, panicked, refused, unmade, why};
use crate::commands::restore::fill::unfilled::Unfilled;
use crate::commands::restore::fill::{in_parts, slots, spool};
use crate::commands::restore::job::Job;
use crate::commands::restore::reading::{Through, filled};
use crate::commands::restore::{tables, timeline};

/// One restore's parts side by side.
struct Filling<'a> {
    job: &'a Job,
    psql: &'a Psql,
    jobs: usize,
    /// Where temporary files are made.
    folder: &'a Path,
    /// The archive without its data blocks.
    heads: Heads,
    /// Where data blocks wait.
    rows: &'a File,
    relay: Relay,
    paths: Paths,
    crew: Crew,
    /// The first rows are on their way.
    flows: Once,
}

/// Fills an empty database, and counts what is in it then.
///
/// # Errors
/// As [`Job::read_through`] and [`Counting::begin`], and when a pg_restore fails.
pub(super) fn fill(job: &Job, psql: &Psql, jobs: usize, folder: &Path) -> Result<(Through, Vec<Counted>), Unfilled> {
    let (heads, rows) = (Heads::create(job, folder)?, spool::create(folder)?);
    let (relay, paths, crew) = (Relay::default(), Paths::default(), Crew::new(schedule(job, jobs)));
    let filling = Filling { job, psql, jobs, folder, heads, rows: &rows, relay, paths, crew, flows: Once::new() };
    let through = OnceLock::new();
    let counted = thread::scope(|scope| -> Result<Vec<Counted>, Unfilled> {
        let workers = (0..jobs).map(|worker| (worker, &filling));
        let workers = workers.map(|(worker, filling)| scope.spawn(move || filling.work(worker))).collect::<Vec<_>>();
        let defining = scope.spawn(|| filling.define());
        let read = filling.read().map(|read| through.get_or_init(|| read));
        let counting = read.as_ref().ok().map(|through| scope.spawn(|| filling.count(through)));
        let ended = std::iter::once(defining).chain(workers).filter_map(failure_of);
        let mut ended = ended.collect::<Vec<_>>();
        if let Some(unfilled) = why(&mut ended) {
            return Err(unfilled);
        }
        read?;
        if let Some(unmade) = unmade(ended) {
            return Err(unmade.into());
        }
        job.go_on()?;
        filling.finish(counting)
    })?;
    let through = through
        .into_inner()
        .ok_or_else(|| Failure::new(Exit::Failed, "a part of the restore failed and did not say why"))?;
    Ok((through, counted))
}

/// Why the part of a thread wasn't done, if it wasn't.
fn failure_of(part: ScopedJoinHandle<'_, Result<(), Stopped>>) -> Option<Stopped> {
    part.join().unwrap_or_else(|panic| Err(Stopped::Failed(panicked(panic)))).err()
}

/// What is loaded by whom at first, and what is made of it as soon as it is in.
fn schedule(job: &Job, jobs: usize) -> Schedule {
    let (head, weights) = (&job.facts.head, weights(job));
    let queues: Vec<Vec<Share>> = share_out(&weights, jobs).into_iter().map(|share| split(share, &weights)).collect();
    let units: Vec<&Share> = queues.iter().flatten().collect();
    let tasks = tasks(&head.contents, &head.steps, &units);
    Schedule::new(queues, tasks)
}

impl Filling<'_> {
    /// Reads the archive to its end: its head into a file, its data blocks to where they wait for their rows' turn.
    fn read(&self) -> Result<Through, Stopped> {
        let mut splitter = Splitter::default();
        let mut head = self.heads.write(self.folder);
        let blocks = self.job.facts.head.data_blocks();
        let read = self.job.read_through(|walk, bytes| {
            for (block, part) in splitter.split(bytes, walk) {
                self.relay.reach(block);
                match block {
                    HEAD => head.put(part)?,
                    // The contents a second time, which nobody fetches.
                    _ if block > blocks => {}
                    _ => self.keep(block, part)?,
                }
            }
            self.relay.reach(splitter.block());
            Ok(())
        });
        match read {
            Ok(_) => {
                timeline::reached("the archive has been read");
                self.relay.reach(Block::MAX);
            }
            Err(_) => self.relay.cancel(),
        }
        read
    }

    fn keep(&self, block: Block, bytes: &[u8]) -> Result<(), Stopped> {
        for bytes in bytes.chunks(slots::SLOT_SIZE) {
            let slot = match self.relay.take_slot(bytes.len() as u32) {
                Err(_) if self.relay.is_discarding() => return Ok(()),
                slot => slot?,
            };
            slots::write(self.rows, &slot, bytes).map_err(|e| spool::unwritable(&e, self.folder))?;
            self.relay.add(block, slot);
        }
        Ok(())
    }

    /// What must be there before the rows, as soon as the archive's head has come.
    fn define(&self) -> Result<(), Stopped> {
        let head = self.heads.path_of(Wording::AsTheyAre);
        let waited = self.relay.wait_for_head().map_err(Stopped::from);
        timeline::reached("the archive's head has come");
        let define = || {
            in_parts::define(self.job, self.psql, &head)?;
            in_parts::make_large_objects(self.job, self.psql, &head)?;
            self.paths.give(self.job, self.psql)
        };
        let defined = waited.and_then(|()| Ok(define()?));
        match defined {
            Ok(()) => {
                timeline::reached("the definitions are made");
                self.relay.set_defined();
            }
            Err(_) => self.relay.cancel(),
        }
        defined
    }

    /// One worker's part.
    fn work(&self, worker: usize) -> Result<(), Stopped> {
        let act = |piece: &Piece| {
            let begun = self.shown(piece);
            timeline::reached(format!("job {worker} begins {begun}"));
            let done = match piece {
                Piece::Rows(unit) => self.load(unit),
                Piece::Entries(ids, wording) => self.make(ids, *wording),
            };
            timeline::reached(format!("job {worker} ends {begun}"));
            done
        };
        let worked = self.relay.wait_until_defined().map_err(Stopped::from).and_then(|()| self.crew.work(worker, act));
        if let Err(stopped) = &worked {
            self.crew.stop();
            match stopped {
                Stopped::Unmade(_) => self.relay.discard(),
                _ => self.relay.cancel(),
            }
        }
        worked
    }

    /// A piece of work, in words.
    fn shown(&self, piece: &Piece) -> String {
        let contents = &self.job.facts.head.contents;
        let (what, ids): (_, BTreeSet<i32>) = match piece {
            Piece::Rows(unit) => {
                let blocks = (HEAD + 1..).zip(contents.iter().filter(|entry| entry.has_data()));
                let own = blocks.filter(|(block, _)| unit.blocks.binary_search(block).is_ok());
                ("the rows of ", own.map(|(_, entry)| entry.dump_id).collect())
            }
            Piece::Entries(ids, Wording::Check) => ("the check of ", ids.iter().copied().collect()),
            Piece::Entries(ids, _) => ("", ids.iter().copied().collect()),
        };
        let name = |entry: &Entry| match piece {
            Piece::Rows(_) => format!("{}.{}", entry.schema, entry.name),
            Piece::Entries(..) => entry.to_string(),
        };
        let first = contents.iter().find(|entry| ids.contains(&entry.dump_id)).map_or(String::new(), name);
        let more = ids.len().saturating_sub(1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{what}{first}{more}")
    }

    /// Indexes and keys of tables whose rows are in. The privileges are still to come: whoever makes them owns the tables.
    fn make(&self, ids: &[i32], wording: Wording) -> Result<(), Stopped> {
        let list = tables::list_of(ids.iter().copied())?;
        let choice = Choice { list: Some(list.path().to_owned()), ..self.choice()? };
        let (head, archive) = (&self.job.facts.head, self.heads.path_of(wording));
        let mut command =
            pg_restore::into_database(&head.pg_restore, self.psql.connection(), &choice, &Part::Listed(&archive));
        let started = Program::start("pg_restore", &mut command, self.job.interrupt.stop());
        let (program, Pipes { .. }) = started.map_err(|e| Stopped::Unmade(failure::program(&e)))?;
        self.crew.watch(program.stopper())?;
        let ended = program.end();
        if self.crew.is_stopped() {
            return Err(Stopped::Cancelled);
        }
        ended.map_err(|e| Stopped::Unmade(failure::program(&e)))
    }

    /// What is in the tables, as soon as all rows are in.
    fn count(&self, through: &Through) -> Result<Counting, Stopped> {
        self.crew.wait_until_loaded()?;
        timeline::reached("all rows are in");
        Ok(Counting::begin(self.job, self.psql, &through.walked.census)?)
    }

    /// The rows of one unit.
    fn load(&self, unit: &Share) -> Result<(), Stopped> {
        let list = tables::list_of(self.ids(unit))?;
        let choice = Choice { list: Some(list.path().to_owned()), ..self.choice()? };
        let head = &self.job.facts.head;
        let mut command = pg_restore::into_database(&head.pg_restore, self.psql.connection(), &choice, &Part::Data);
        let (mut feed, _) = Feed::start(&mut command, &self.job.interrupt)?;
        match self.hand_on(unit, &mut feed) {
            Ok(()) => feed.end().map_err(refused),
            Err(stopped) => {
                feed.stop();
                Err(stopped)
            }
        }
    }

    /// To one pg_restore: the head, and its blocks while they are still arriving.
    fn hand_on(&self, unit: &Share, feed: &mut Feed) -> Result<(), Stopped> {
        let mut buffer = Vec::with_capacity(slots::SLOT_SIZE);
        let mut from = 0;
        loop {
            buffer.resize(slots::SLOT_SIZE, 0);
            let length = self.heads.plain().read_at(&mut buffer, from).map_err(|e| spool::unreadable(&e))?;
            if length == 0 {
                break;
            }
            feed.write(filled(&buffer, length).map_err(|e| spool::unreadable(&e))?).map_err(refused)?;
            from += length as u64;
        }
        for block in &unit.blocks {
            while let Some(slot) = self.relay.next(*block)? {
                self.flows.call_once(|| timeline::reached("the first rows flow"));
                slots::read(self.rows, &slot, &mut buffer).map_err(|e| spool::unreadable(&e))?;
                self.relay.give_back(slot);
                feed.write(&buffer).map_err(refused)?;
            }
        }
        Ok(())
    }

    /// What follows the rows and wasn't made yet, while they are counted where they have to be; and what there is in the end.
    fn finish(
        &self,
        counting: Option<ScopedJoinHandle<'_, Result<Counting, Stopped>>>,
    ) -> Result<Vec<Counted>, Unfilled> {
        let (job, made) = (self.job, self.crew.made());
        let counted = || -> Result<Counting, Unfilled> {
            let counting = counting
                .ok_or_else(|| Failure::new(Exit::Failed, "a part of the restore failed and did not say why"))?;
            Ok(counting.join().unwrap_or_else(|panic| Err(Stopped::Failed(panicked(panic))))?)
        };
        let make_the_rest = || -> Result<(), Unfilled> {
            let archive = self.heads.path_of(Wording::AsTheyAre);
            tracing::info!(
                "the archive is whole and its rows are in; building what is left of indexes and constraints with {} jobs",
                self.jobs
            );
            in_parts::finish(job, self.psql, &archive, (self.jobs, &made)).map_err(deadlocked)?;
            Ok(self.paths.take_away(self.psql)?)
        };
        // Row security comes with the indexes: until then nothing hides rows from a count. Indexes and constraints themselves
        // change no rows: a core that has none to build counts in the meantime.
        let hides = !job.facts.target.role.superuser && job.facts.head.entries("ROW SECURITY").next().is_some();
        let counting = if hides {
            let counting = counted()?;
            make_the_rest()?;
            counting
        } else {
            make_the_rest()?;
            counted()?
        };
        timeline::reached("indexes and constraints are made");
        let counted = counting.end(job, self.psql)?;
        timeline::reached("every table's rows are known");
        Ok(counted)
    }

    fn choice(&self) -> Result<Choice, Failure> {
        self.job.choice().map(|(choice, _)| choice)
    }

    /// The entries of a unit.
    fn ids(&self, unit: &Share) -> impl Iterator<Item = i32> {
        let mut block = HEAD;
        self.job.facts.head.contents.iter().filter_map(move |entry| {
            block += usize::from(entry.has_data());
            let is_its_own = if entry.has_data() { unit.blocks.binary_search(&block).is_ok() } else { unit.has_rest };
            (is_its_own && entry.kind != in_parts::LARGE_OBJECTS).then_some(entry.dump_id)
        })
    }
}
