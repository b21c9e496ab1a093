//! Reading a table's rows: the parts that an index names, or the archive from its front to the table's end.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::ops::ControlFlow;

use ::archive::rows::{BadChunk, Chunks, RowCount, RowError, RowReader};
use ::archive::{Damage, Observer, TableCensus, Walk};
use catalog::manifest::Manifest;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::{Backup, StoredBytes};
use crate::commands::restore::failure;
use crate::commands::restore::reading::{self, ReadingError};
use crate::commands::rows::contents::{Contents, ContentsReader};
use crate::commands::rows::indexed::{Indexed, Take};
use crate::commands::rows::picker::{Picked, Picker};
use crate::commands::rows::table::{Source, Table};
use crate::interrupt;

/// An archive whose rows are read.
pub(super) struct Place<'a> {
    backup: &'a Backup,
    archive: &'a Archive,
    indexed: Option<Indexed<'a>>,
    int_size: u8,
}

/// Why rows weren't read.
enum RowsError {
    Reading(ReadingError),
    Chunk,
    Row(RowError),
    Failed(Failure),
}

impl From<ReadingError> for RowsError {
    fn from(error: ReadingError) -> Self {
        Self::Reading(error)
    }
}

impl From<BadChunk> for RowsError {
    fn from(_: BadChunk) -> Self {
        Self::Chunk
    }
}

impl From<Picked> for RowsError {
    fn from(picked: Picked) -> Self {
        match picked {
            Picked::Row(error) => Self::Row(error),
            Picked::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<RowError> for RowsError {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

/// The rows of one table as they come.
struct Rows<'p, 'o> {
    id: i32,
    picker: &'p mut Picker<'o>,
    reader: RowReader,
    count: RowCount,
    /// No more of it is wanted.
    is_done: bool,
}

impl Rows<'_, '_> {
    fn feed(&mut self, text: &[u8]) -> Result<(), RowsError> {
        if self.is_done {
            return Ok(());
        }
        let (id, picker, count) = (self.id, &mut *self.picker, &mut self.count);
        let mut failed = None;
        let fed = self.reader.feed(text, &mut |row| {
            count.add(row);
            match picker.row(id, row) {
                Ok(flow) => flow,
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        self.is_done |= fed.is_break();
        Ok(())
    }
}

impl<'a> Place<'a> {
    /// # Errors
    /// When no key opens the archive.
    pub(super) fn open(backup: &'a Backup, stored: &StoredBytes, archive: &'a Archive) -> Result<Self, Failure> {
        let indexed = Indexed::open(backup, stored, archive)?;
        Ok(Self { backup, archive, indexed, int_size: 4 })
    }

    /// Reads the archive's head.
    ///
    /// # Errors
    /// Exit 4 when it is damaged, exit 1 when it can't be read.
    pub(super) fn contents(&mut self) -> Result<Contents, Failure> {
        let mut reader = ContentsReader::new();
        let read = match &mut self.indexed {
            Some(indexed) => {
                let head = 0..indexed.index.contents_end;
                let mut has_ended = false;
                let read = indexed.read::<ReadingError>(&head, &mut |bytes| {
                    has_ended = reader.feed(bytes).map_err(ReadingError::Damaged)?;
                    Ok(if has_ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                });
                read.map(|()| has_ended)
            }
            None => self.read_head(&mut reader),
        };
        match read {
            Ok(true) => {}
            Ok(false) => return Err(self.explain(RowsError::Reading(ReadingError::Damaged(reader.ends_early())), None)),
            Err(error) => return Err(self.explain(RowsError::Reading(error), None)),
        }
        let contents = reader.finish(&self.archive.place)?;
        self.int_size = contents.int_size;
        Ok(contents)
    }

    fn read_head(&self, reader: &mut ContentsReader) -> Result<bool, ReadingError> {
        self.read_front::<ReadingError>(&mut |bytes| {
            let has_ended = reader.feed(bytes).map_err(ReadingError::Damaged)?;
            Ok(if has_ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }

    /// Hands on the dump from its beginning, until `take` wants no more; whether that was so before its end.
    fn read_front<E: From<ReadingError>>(&self, take: &mut Take<'_, E>) -> Result<bool, E> {
        let opened = self.archive.open().map_err(|failure| ReadingError::Read(std::io::Error::other(failure.error)))?;
        let mut dump = reading::open(opened, self.archive)?;
        loop {
            if let Some(signal) = self.archive.interrupt.seen() {
                return Err(ReadingError::Interrupted(signal).into());
            }
            let bytes = dump.fill_buf().map_err(reading::reading)?;
            let length = bytes.len();
            if length == 0 {
                return Ok(false);
            }
            if take(bytes)?.is_break() {
                return Ok(true);
            }
            dump.consume(length);
        }
    }

    /// Reads the rows of `table`, and says what nothing has proved.
    ///
    /// # Errors
    /// Exit 4 when they are damaged, exit 1 when they can't be read or printed.
    pub(super) fn read(&mut self, table: &Table, picker: &mut Picker<'_>) -> Result<(), Failure> {
        let whole = match self.indexed.is_some() {
            true => self.by_index(table, picker)?,
            false => self.scan(table, picker)?,
        };
        let name = &self.backup.name;
        let parts = match &self.indexed {
            Some(indexed) if !indexed.proves_parts() => {
                "by no checksum, because it is neither compressed nor encrypted"
            }
            Some(_) => "each by its own checksum",
            None => "up to the rows",
        };
        match whole {
            true => tracing::info!("all rows of the table were read, and are those that {name} was made with"),
            false => {
                tracing::info!("only parts of {name} were read and checked ({parts}): lastgood verify checks the whole")
            }
        }
        Ok(())
    }

    /// True when every row was read and is as its backup's manifest has it.
    fn by_index(&mut self, table: &Table, picker: &mut Picker<'_>) -> Result<bool, Failure> {
        let mut is_whole = true;
        for source in &table.sources {
            if !picker.wants_more() {
                return Ok(false);
            }
            match self.source(source, picker) {
                Ok(Some(count)) => is_whole &= self.is_as_counted(source, count)?,
                Ok(None) => is_whole = false,
                Err(error) => return Err(self.explain(error, Some(source))),
            }
        }
        Ok(is_whole)
    }

    /// Reads one table's parts; what was counted where they were all.
    fn source(&mut self, source: &Source, picker: &mut Picker<'_>) -> Result<Option<RowCount>, RowsError> {
        let int_size = self.int_size;
        let Some(indexed) = &mut self.indexed else { return Ok(None) };
        let Some(marks) = indexed.index.table(source.id).cloned() else {
            let unknown = format!("the index doesn't know {}.{}", source.schema, source.name);
            return Err(ReadingError::Read(std::io::Error::other(unknown)).into());
        };
        let wanted: Vec<(usize, Vec<u8>)> = picker
            .probes(source.id)
            .iter()
            .filter_map(|(field, probe)| Some((*field, probe.text()?.to_vec())))
            .collect();
        let wanted: Vec<(usize, &[u8])> = wanted.iter().map(|(field, text)| (*field, text.as_slice())).collect();
        let places = marks.places(&wanted);
        let is_all = places.len() == 1 && places.first() == Some(&(marks.at..marks.end));
        let mut rows =
            Rows { id: source.id, picker, reader: RowReader::default(), count: RowCount::default(), is_done: false };
        for place in places {
            let mut chunks = Chunks::new(int_size);
            indexed.read::<RowsError>(&place, &mut |bytes| {
                chunks.feed(bytes, &mut |text| rows.feed(text))?;
                Ok(if rows.is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            if rows.is_done {
                return Ok(None);
            }
            if rows.reader.is_within_row() || chunks.is_within_chunk() {
                return Err(RowsError::Chunk);
            }
        }
        if is_all && !rows.reader.has_ended() {
            return Err(RowsError::Chunk);
        }
        Ok(is_all.then_some(rows.count))
    }

    /// Whether the rows are those that the manifest counted.
    fn is_as_counted(&self, source: &Source, count: RowCount) -> Result<bool, Failure> {
        let counted = self.backup.manifest.as_ref().map_or_else(Vec::new, |manifest| counted(manifest, source));
        if counted.is_empty() {
            return Ok(false);
        }
        let (rows, sha256) = count.finish();
        if counted.iter().any(|table| (table.rows, table.sha256) == (Some(rows), sha256)) {
            return Ok(true);
        }
        let (schema, name) = (&source.schema, &source.name);
        let error = format!(
            "{} is damaged: the rows of {schema}.{name} are not those that were counted when it was made",
            self.backup.name
        );
        Err(Failure::new(Exit::Damaged, error).hint(self.hint()))
    }

    /// Reads the archive from its front to the end of the table.
    fn scan(&self, table: &Table, picker: &mut Picker<'_>) -> Result<bool, Failure> {
        let mut scan = Scan {
            left: table.sources.iter().map(|source| source.id).collect(),
            picker,
            current: None,
            counts: BTreeMap::new(),
            failed: None,
        };
        let mut walk = Walk::new();
        let read = self.read_front::<RowsError>(&mut |bytes| {
            walk.feed_to(bytes, &mut scan).map_err(ReadingError::Damaged)?;
            match scan.failed.take() {
                Some(error) => Err(error),
                None if scan.left.is_empty() || !scan.picker.wants_more() => Ok(ControlFlow::Break(())),
                None => Ok(ControlFlow::Continue(())),
            }
        });
        let current = scan.current.as_ref().map(|(id, ..)| *id);
        let source = table.sources.iter().find(|source| Some(source.id) == current);
        let counts = scan.counts;
        match read {
            Ok(true) => {}
            Ok(false) => {
                let end =
                    walk.finish().err().map_or_else(|| RowsError::Chunk, |damage| ReadingError::Damaged(damage).into());
                return Err(self.explain(end, None));
            }
            Err(error) => return Err(self.explain(error, source)),
        }
        let mut is_whole = counts.len() == table.sources.len();
        for source in &table.sources {
            match counts.get(&source.id) {
                Some(count) => is_whole &= self.is_as_counted(source, count.clone())?,
                None => is_whole = false,
            }
        }
        Ok(is_whole)
    }

    fn hint(&self) -> String {
        match &self.backup.other {
            Some(other) => format!(
                "read another backup: lastgood rows {other}; lastgood verify finds all that is wrong with this one"
            ),
            None => "see which other backups there are: lastgood list".to_owned(),
        }
    }

    /// Why the rows weren't read, with the backup's name.
    fn explain(&self, error: RowsError, source: Option<&Source>) -> Failure {
        let place = &self.archive.place;
        let of = source.map_or_else(String::new, |source| format!("the rows of {}.{}: ", source.schema, source.name));
        let damaged =
            |what: &str| Failure::new(Exit::Damaged, format!("{place} is damaged: {of}{what}")).hint(self.hint());
        match error {
            RowsError::Failed(failure) => failure,
            RowsError::Row(RowError::TooLong) => {
                Failure::new(Exit::Failed, format!("{of}{}: it isn't kept in memory", RowError::TooLong))
                    .hint("restore the table instead: lastgood restore ID --table NAME --into DATABASE")
            }
            RowsError::Row(error) => damaged(&error.to_string()),
            RowsError::Chunk => damaged("its data is cut off, or isn't where it should be"),
            RowsError::Reading(ReadingError::Interrupted(signal)) => interrupt::stopped_by(signal),
            RowsError::Reading(ReadingError::Damaged(damage)) if is_named(&damage) => damaged(&damage.to_string()),
            RowsError::Reading(error) => failure::reading(place, error),
        }
    }
}

/// What was counted of the table; of those with one name, where their manifest doesn't tell them apart.
fn counted<'m>(manifest: &'m Manifest, source: &Source) -> Vec<&'m TableCensus> {
    let tables = &manifest.census.tables;
    let called = tables.iter().find(|table| table.names() == (&source.schema, &source.name));
    let (schema, name) = &source.counted_as;
    match called {
        Some(table) => vec![table],
        None => tables.iter().filter(|table| (&table.schema, &table.name) == (schema, name)).collect(),
    }
}

/// Damage whose hint is ours: what is no archive at all, or beyond a limit, is said as a restore says it.
fn is_named(damage: &Damage) -> bool {
    !damage.is_limit() && !matches!(damage, Damage::NotAnArchive { .. })
}

/// The wanted rows of an archive that is read from its front.
struct Scan<'p, 'o> {
    /// Entries whose rows haven't ended.
    left: Vec<i32>,
    picker: &'p mut Picker<'o>,
    current: Option<(i32, RowReader, RowCount)>,
    counts: BTreeMap<i32, RowCount>,
    failed: Option<RowsError>,
}

impl Observer for Scan<'_, '_> {
    fn begin(&mut self, dump_id: i32, _: u64) {
        self.current = self.left.contains(&dump_id).then(|| (dump_id, RowReader::default(), RowCount::default()));
    }

    fn text(&mut self, _: u64, text: &[u8]) {
        let Some((id, reader, count)) = self.current.take() else { return };
        if self.failed.is_some() || !self.picker.wants_more() {
            return;
        }
        let mut rows = Rows { id, picker: &mut *self.picker, reader, count, is_done: false };
        self.failed = rows.feed(text).err();
        self.current = Some((id, rows.reader, rows.count));
    }

    fn end(&mut self, _: u64) {
        if let Some((id, _, count)) = self.current.take().filter(|_| self.picker.wants_more()) {
            self.left.retain(|left| *left != id);
            self.counts.insert(id, count);
        }
    }
}
