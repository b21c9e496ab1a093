//! One pass through an archive: the rows of the tables that are compared, into a temporary file.

use std::collections::HashMap;
use std::io::{self, BufRead as _};
use std::path::Path;

use ::archive::{Charset, Observer, Outliner, Walk};

use crate::answers::failure::{Exit, Failure};
use crate::commands::diff::failure;
use crate::commands::diff::range::Beginning;
use crate::commands::diff::rows::plan::{Contents, Plan, Tables, Which};
use crate::commands::diff::rows::spool::{Spool, Stretch};
use crate::commands::diff::side::Side;
use crate::commands::restore::archive::Archive;
use crate::commands::restore::reading::{self, Dump, ReadingError};

/// The line that ends the rows of a table.
const TERMINATOR: &[u8] = b"\\.";

/// What the head says of these tables.
///
/// # Errors
/// When it can't be read; also when it is encrypted and no key fits.
pub(super) fn contents(side: &Side, tables: &[(String, String)]) -> Result<Contents, Failure> {
    let (object, archive) = side.archive.as_ref().ok_or_else(|| gone(side))?;
    let (mut contents, wished): (Contents, Tables) = (Contents::default(), tables.iter().cloned().collect());
    let mut outliner = Outliner::default();
    let mut dump = open(Box::new(Beginning::of(&side.repository, object)), archive)?;
    each(&mut dump, archive, |bytes| {
        outliner.feed(bytes, &mut |entry| contents.add(entry, &wished)).map_err(ReadingError::Damaged)?;
        Ok(outliner.is_done())
    })?;
    Ok(contents)
}

fn gone(side: &Side) -> Failure {
    Failure::new(Exit::Failed, side.unreadable())
}

fn open(stored: crate::keys::Source, archive: &Archive) -> Result<Dump, Failure> {
    reading::open(stored, archive).map_err(|error| failure::reading(&archive.place, error))
}

/// Hands on the dump's bytes until `take` has enough, or they end.
fn each(
    dump: &mut Dump,
    archive: &Archive,
    mut take: impl FnMut(&[u8]) -> Result<bool, ReadingError>,
) -> Result<(), Failure> {
    let unreadable = |error: ReadingError| failure::reading(&archive.place, error);
    loop {
        if let Some(signal) = archive.interrupt.seen() {
            return Err(unreadable(ReadingError::Interrupted(signal)));
        }
        let bytes = dump.fill_buf().map_err(|e| unreadable(reading::reading(e)))?;
        let length = bytes.len();
        if length == 0 || take(bytes).map_err(unreadable)? {
            return Ok(());
        }
        dump.consume(length);
    }
}

/// The rows of an archive's tables, and where in the file each table's are.
pub(super) struct Rows {
    spool: Spool,
    tables: HashMap<(String, String), Stretch>,
}

impl Rows {
    /// Those of one table; none, where the archive hasn't it.
    pub(super) fn of(&self, plan: &Plan) -> Option<(&Spool, Stretch)> {
        let stretch = self.tables.get(&(plan.schema.clone(), plan.name.clone()))?;
        Some((&self.spool, *stretch))
    }
}

/// Reads the rows of all these tables.
///
/// # Errors
/// When the archive can't be read, or there is no room for the rows.
pub(super) fn rows(
    side: &Side,
    plans: &[Plan],
    charset: Charset,
    (folder, which): (&Path, Which),
) -> Result<Rows, Failure> {
    let (_, archive) = side.archive.as_ref().ok_or_else(|| gone(side))?;
    let mut splitter = Splitter::new(plans, which, charset, Spool::in_folder(folder)?);
    if !splitter.wanted.is_empty() {
        let mut dump = open(archive.open()?, archive)?;
        let mut walk = Walk::counting();
        let mut left = splitter.wanted.len();
        each(&mut dump, archive, |bytes| {
            walk.feed_to(bytes, &mut splitter).map_err(ReadingError::Damaged)?;
            left = left.min(splitter.wanted.len() - splitter.ended);
            Ok(left == 0 || splitter.failure.is_some())
        })?;
        if left > 0 && splitter.failure.is_none() {
            let ended = walk
                .finish()
                .err()
                .map_or_else(|| ReadingError::Read(io::ErrorKind::UnexpectedEof.into()), ReadingError::Damaged);
            return Err(failure::reading(&archive.place, ended));
        }
    }
    splitter.finish(folder)
}

/// Takes rows out of COPY text, in UTF-8, and their columns into the order in which they are compared.
struct Splitter<'a> {
    charset: Charset,
    wanted: HashMap<i32, (&'a Plan, &'a [usize])>,
    current: Option<(&'a Plan, &'a [usize])>,
    /// A row that has begun.
    partial: Vec<u8>,
    spool: Spool,
    begin: u64,
    tables: HashMap<(String, String), Stretch>,
    ended: usize,
    failure: Option<io::Error>,
}

impl<'a> Splitter<'a> {
    fn new(plans: &'a [Plan], which: Which, charset: Charset, spool: Spool) -> Self {
        let wanted = plans.iter().filter_map(|plan| {
            let (dump_id, fields) = plan.side(which)?;
            Some((dump_id, (plan, fields)))
        });
        let (wanted, tables) = (wanted.collect(), HashMap::new());
        Self { charset, wanted, current: None, partial: Vec::new(), spool, begin: 0, tables, ended: 0, failure: None }
    }

    fn row(&mut self, row: &[u8]) {
        let Some((_, fields)) = self.current.filter(|_| row != TERMINATOR && self.failure.is_none()) else { return };
        if let Err(error) = self.spool.put_row(&self.charset.recoded(row), fields) {
            self.failure = Some(error);
        }
    }

    fn finish(self, folder: &Path) -> Result<Rows, Failure> {
        if let Some(error) = self.failure {
            return Err(super::spool::unwritable(&error, folder));
        }
        let spool = self.spool.flushed().map_err(|error| super::spool::unwritable(&error, folder))?;
        Ok(Rows { spool, tables: self.tables })
    }
}

impl Observer for Splitter<'_> {
    fn begin(&mut self, dump_id: i32, _: u64) {
        self.current = self.wanted.get(&dump_id).copied();
        self.begin = self.spool.length();
        self.partial.clear();
    }

    fn text(&mut self, _: u64, text: &[u8]) {
        if self.current.is_none() {
            return;
        }
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            match (line.strip_suffix(b"\n"), self.partial.is_empty()) {
                (Some(row), true) => self.row(row),
                (Some(rest), false) => {
                    let mut row = std::mem::take(&mut self.partial);
                    row.extend_from_slice(rest);
                    self.row(&row);
                    row.clear();
                    self.partial = row;
                }
                (None, _) => self.partial.extend_from_slice(line),
            }
            // Behind it there are empty lines, which are no rows.
            if line == b"\\.\n" {
                self.close();
            }
        }
    }

    fn end(&mut self, _: u64) {
        self.close();
    }
}

impl Splitter<'_> {
    fn close(&mut self) {
        let Some((plan, _)) = self.current.take() else { return };
        self.ended += 1;
        let stretch = Stretch { begin: self.begin, end: self.spool.length() };
        self.tables.insert((plan.schema.clone(), plan.name.clone()), stretch);
    }
}
