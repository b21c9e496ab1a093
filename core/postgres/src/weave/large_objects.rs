//! Large objects, which pg_dump reads for us: an archive of nothing else, on the same snapshot.

use archive::weave::block::LargeObjects;

use super::heading::{self, Begun};
use crate::programs::pg_dump::DumpOptions;
use crate::programs::program::Stopper;
use crate::{Connection, Dump, DumpError, Stop, Tool};

/// Nothing is locked that way: a lock that somebody waits for would hold the dump up for ever, because they wait for the dump.
/// `--blobs` is what every version calls them.
const ALONE: [&str; 3] = ["--blobs", "--section=data", "--exclude-schema=*"];

/// A pg_dump of the large objects.
pub(super) struct LargeObjectsDump {
    dump: Dump,
    copy: LargeObjects,
    /// Bytes behind the head that were read with it.
    rest: Vec<u8>,
}

impl LargeObjectsDump {
    /// Starts it, and reads the head. `dump_ids`: the numbers of the entries that they get.
    pub(super) fn start(
        (tool, connection, stop): (&Tool, &Connection, &Stop),
        (snapshot, role): (&str, Option<&str>),
        dump_ids: &[i32],
    ) -> Result<Self, DumpError> {
        let role = role.map(|role| format!("--role={role}"));
        let words = ALONE.into_iter().map(str::to_owned).chain([format!("--snapshot={snapshot}")]).chain(role);
        let options = DumpOptions { extra: words.collect(), ..DumpOptions::default() };
        let mut dump = Dump::start_quietly(tool, connection, &options, stop)?;
        let Some(Begun { head, mut read }) = heading::begin(&mut dump) else {
            return Err(dump.finish().err().unwrap_or_else(|| unlike("it ended before its contents did")));
        };
        let rest = read.split_off(head.map_err(|why| unlike(&why))?.bytes.len());
        Ok(Self { dump, copy: LargeObjects::renumbered(dump_ids.to_vec()), rest })
    }

    /// What can end it from another thread.
    pub(super) fn stopper(&self) -> Stopper {
        self.dump.stopper()
    }

    /// The next piece of the blocks; `None` at their end.
    pub(super) fn next(&mut self, mut out: Vec<u8>, size: usize) -> Result<Option<Vec<u8>>, DumpError> {
        let mut block = std::mem::take(&mut self.rest);
        if block.is_empty() {
            self.dump.fill(&mut block, size).map_err(|e| unlike(&e.to_string()))?;
        }
        if block.is_empty() {
            return Ok(None);
        }
        self.copy.copy(&block, &mut out).map_err(unlike)?;
        Ok(Some(out))
    }

    /// Whether it was all of them.
    pub(super) fn finish(self) -> Result<(), DumpError> {
        let Self { dump, copy, .. } = self;
        dump.finish()?;
        if copy.is_complete() { Ok(()) } else { Err(unlike("an entry has no block")) }
    }
}

fn unlike(why: &str) -> DumpError {
    DumpError::Session { lines: vec![format!("pg_dump wrote large objects otherwise than expected: {why}")] }
}
