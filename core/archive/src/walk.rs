//! Reads a pg_dump custom-format archive from its first byte to its last, forward only, and counts what is in it.
//!
//! It is fed bytes instead of pulling them, so it fits any pipeline and its place can be saved. Memory is bounded by what is
//! kept of the table of contents, whatever lengths and counts the bytes claim. A dump that went through a pipe says nothing
//! of where data lies or ends: the archive is complete when every data block that its contents promise has been seen once,
//! and nothing follows but, perhaps, the same contents again. The format's only source is PostgreSQL's pg_backup_archiver.c and pg_backup_custom.c.

mod blocks;
mod contents;
mod copied;
mod guest;
mod header;
mod inner;
mod observer;
pub mod packed;
mod plain;
mod portion;
mod second;
mod tally;
mod values;
pub(crate) mod writing;

use serde::{Deserialize, Serialize};

pub use self::contents::columns;
use self::{
    blocks::Blocks,
    contents::{Content, Contents, ContentsReader},
    guest::Guest,
    header::HeaderReader,
    inner::Inner,
    observer::Nobody,
    portion::Kinds,
    values::{Input, Stop},
};
pub use self::{
    contents::{Described, Entry, InAnyOrder, InTablespace, LargeObjectEntry, Outliner, Place},
    copied::{CopiedRows, CopyReader},
    header::{Format, FormatVersion, Header, InnerCompression},
    observer::Observer,
    plain::{PlainRepack, ScriptOutline, ScriptReader},
    portion::Portion,
};
#[cfg(any(test, fuzzing))]
pub(crate) use self::{inner::decoded as inner_decoded, packed::PackedContents};
use crate::{
    census::{Census, TableCensus},
    damage::Damage,
};

/// A walk through one archive.
pub struct Walk {
    state: State,
    inner: Inner,
}

/// A walk's place, to go on from later. It keeps only the contents' entries that the census needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedWalk(State);

/// What a walk through a whole archive found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walked {
    /// The archive's header.
    pub header: Header,
    /// What was counted.
    pub census: Census,
    /// It holds only a part of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<Portion>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    position: u64,
    stage: Stage,
    header: Option<Header>,
    contents: Contents,
    damage: Option<Damage>,
    /// It is of another form than the custom one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guest: Option<Guest>,
    /// Of the table of contents, as far as it was read before the place was saved.
    #[serde(default)]
    kinds: Kinds,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stage {
    Header(HeaderReader),
    Contents(Box<ContentsReader>),
    Blocks(Blocks),
}

impl Default for Walk {
    fn default() -> Self {
        Self::new()
    }
}

impl Walk {
    /// A walk that stands before the first byte.
    #[must_use]
    pub fn new() -> Self {
        let state = State {
            position: 0,
            stage: Stage::Header(HeaderReader::new()),
            header: None,
            contents: Contents::default(),
            damage: None,
            guest: None,
            kinds: Kinds::default(),
        };
        Self { state, inner: Inner::None }
    }

    /// A walk that only counts: of the table of contents it keeps the entries with data or a definition, so that a schema of any
    /// size takes little memory.
    #[must_use]
    pub fn counting() -> Self {
        let mut walk = Self::new();
        walk.state.contents.essential_only = true;
        walk
    }

    /// The same walk, which also digests each table's rows in any order: [`Walk::in_any_order`].
    #[must_use]
    pub fn comparing(mut self) -> Self {
        self.state.contents.compares = true;
        self
    }

    /// Of each table in the census's order: its rows, whatever their order. Nothing of a table that has not been read to its end, or by a
    /// walk that doesn't compare.
    #[must_use]
    pub fn in_any_order(&self) -> Vec<Option<InAnyOrder>> {
        let tables = self.state.contents.entries.iter().filter_map(|entry| entry.block.as_ref());
        let tables = tables.filter(|block| block.content != Content::LargeObjects && block.counted.is_some());
        tables.map(|block| block.counted.and_then(|counted| counted.any_order)).collect()
    }

    /// Reads the dump's next bytes.
    ///
    /// # Errors
    ///
    /// The first damage found; the same again for every later call.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        self.feed_to(bytes, &mut Nobody)
    }

    /// Reads the dump's next bytes, and shows `observer` the rows in them. Of a script it shows none.
    ///
    /// # Errors
    ///
    /// As [`Walk::feed`].
    pub fn feed_to(&mut self, bytes: &[u8], observer: &mut dyn Observer) -> Result<(), Damage> {
        if let Some(damage) = &self.state.damage {
            return Err(damage.clone());
        }
        let found = match self.state.guest.take() {
            Some(guest) => self.feed_guest(guest, bytes, observer),
            None => self.feed_archive(bytes, observer),
        };
        if let Err(damage) = &found {
            self.state.damage = Some(damage.clone());
        }
        found
    }

    /// Judges the end of the dump.
    ///
    /// # Errors
    ///
    /// Damage found before, or that the archive isn't complete.
    pub fn finish(mut self) -> Result<Walked, Damage> {
        self.turn_to_guest()?;
        if let Some(guest) = self.state.guest.take().filter(|_| self.state.damage.is_none()) {
            return self.finish_guest(guest);
        }
        self.finish_archive()
    }

    fn feed_archive(&mut self, bytes: &[u8], observer: &mut dyn Observer) -> Result<(), Damage> {
        let mut input = Input { rest: bytes, position: self.state.position };
        let found = self.read(&mut input, observer);
        self.state.position = input.position;
        match found {
            Err(Damage::NotAnArchive { found }) if Guest::of(found).is_some() => {
                self.turn_to_guest()?;
                self.feed_to(input.rest, observer)
            }
            found => found,
        }
    }

    fn finish_archive(self) -> Result<Walked, Damage> {
        let State { position, stage, header, contents, damage, kinds, .. } = self.state;
        if let Some(damage) = damage {
            return Err(damage);
        }
        let (Stage::Blocks(blocks), Some(header)) = (&stage, header) else {
            return Err(match stage {
                Stage::Header(reader) => reader.cut_off(position),
                _ => Damage::Truncated { offset: position, within: "the table of contents".into() },
            });
        };
        if let Some(damage) = blocks.cut_off(&contents, position) {
            return Err(damage);
        }
        let portion = kinds.with(contents.kinds).portion();
        let tables = contents.entries.into_iter().filter_map(table_census).collect();
        Ok(Walked { header, census: Census { tables, large_objects: blocks.census.clone() }, portion })
    }

    /// The header, once it has been read.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        self.state.header.as_ref()
    }

    /// The table of contents, once it has been read, in its order. The entries that pg_dump before version 17 writes for
    /// every single large object aren't kept; by [`Walk::counting`] and after [`Walk::resume`] only those with data or a definition are.
    #[must_use]
    pub fn contents(&self) -> Option<&[Entry]> {
        matches!(self.state.stage, Stage::Blocks(_)).then_some(&self.state.contents.entries)
    }

    /// The entries that [`Walk::contents`] leaves out because each says no more than a large object's number, in their order.
    #[must_use]
    pub fn large_object_entries(&self) -> &[LargeObjectEntry] {
        &self.state.contents.large_objects
    }

    /// Where the table of contents ends and the first data block begins, in bytes, once it has been read.
    #[must_use]
    pub fn contents_end(&self) -> Option<u64> {
        match &self.state.stage {
            Stage::Blocks(blocks) => Some(blocks.first),
            Stage::Header(_) | Stage::Contents(_) => None,
        }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.state.position
    }

    /// The walk's place; `None` in the middle of a stream that is compressed inside the archive.
    #[must_use]
    pub fn save(&self) -> Option<SavedWalk> {
        let State { position, stage, header, contents, damage, guest, kinds } = &self.state;
        let kinds = kinds.with(contents.kinds);
        let unsaveable = self.inner.holds_state() && matches!(stage, Stage::Blocks(blocks) if blocks.within_stream());
        let (stage, header, damage, guest) = (stage.clone(), header.clone(), damage.clone(), guest.clone());
        let contents = || contents.essential();
        (!unsaveable).then(|| {
            SavedWalk(State { position: *position, stage, header, contents: contents(), damage, guest, kinds })
        })
    }

    /// The walk that was saved, to be fed from [`Walk::position`] on.
    #[must_use]
    pub fn resume(SavedWalk(state): SavedWalk) -> Self {
        let inner = state.header.as_ref().map_or(Inner::None, |header| Inner::new(header.compression));
        Self { state, inner }
    }

    /// Reads all of the input.
    fn read(&mut self, input: &mut Input<'_>, observer: &mut dyn Observer) -> Result<(), Damage> {
        loop {
            match self.read_stage(input, observer) {
                Ok(next) => self.state.stage = next,
                Err(Stop::Starved) => return Ok(()),
                Err(Stop::Found(damage)) => return Err(damage),
                Err(Stop::Broken(reason)) => {
                    self.state.position = input.position;
                    return Err(self.describe(reason.into()));
                }
            }
        }
    }

    /// Reads on to the end of a stage and says which follows.
    fn read_stage(&mut self, input: &mut Input<'_>, observer: &mut dyn Observer) -> Result<Stage, Stop> {
        let contents = &mut self.state.contents;
        match &mut self.state.stage {
            Stage::Header(reader) => {
                let header = self.state.header.insert(reader.read(input)?);
                self.inner = Inner::new(header.compression);
                Ok(Stage::Contents(Box::new(ContentsReader::new(header))))
            }
            Stage::Contents(reader) => {
                reader.read(contents, input)?;
                let header = self.state.header.as_ref().ok_or("the saved place has no header")?;
                Ok(Stage::Blocks(Blocks::new(header, input.position, reader.fingerprint())))
            }
            Stage::Blocks(blocks) => Err(blocks.read(contents, (&mut self.inner, observer), input)),
        }
    }

    /// What has been read is no custom archive: it is read again as what it looks like, where that is something to walk through.
    fn turn_to_guest(&mut self) -> Result<(), Damage> {
        let Stage::Header(reader) = &self.state.stage else { return Ok(()) };
        if self.state.guest.is_some() || self.state.damage.is_some() {
            return Ok(());
        }
        let head = reader.head().to_vec();
        let Damage::NotAnArchive { found } = reader.cut_off(self.state.position) else { return Ok(()) };
        let Some(guest) = Guest::of(found) else { return Ok(()) };
        self.state.stage = Stage::Header(HeaderReader::new());
        self.state.position = 0;
        self.feed_guest(guest, &head, &mut Nobody)
    }

    fn feed_guest(&mut self, mut guest: Guest, bytes: &[u8], observer: &mut dyn Observer) -> Result<(), Damage> {
        let fed = match &mut guest {
            Guest::Plain(count) => {
                let fed = count.feed(bytes);
                self.state.position = count.position();
                fed
            }
            Guest::Tar(tar) => tar.feed(bytes, &mut |archive| self.feed_archive(archive, observer)),
        };
        self.state.guest = Some(guest);
        fed
    }

    fn finish_guest(self, guest: Guest) -> Result<Walked, Damage> {
        match guest {
            Guest::Plain(count) => {
                let (header, census, portion) = count.finish()?;
                Ok(Walked { header, census, portion })
            }
            Guest::Tar(tar) => {
                tar.finish()?;
                let mut walked = self.finish_archive()?;
                walked.header.format = Format::Tar;
                Ok(walked)
            }
        }
    }

    fn describe(&self, reason: String) -> Damage {
        let offset = self.state.position;
        match &self.state.stage {
            Stage::Header(_) => Damage::BadHeader { offset, reason },
            Stage::Contents(_) => Damage::BadContents { offset, reason },
            Stage::Blocks(_) => Damage::BadBlock { offset, object: "a data block".into(), reason },
        }
    }
}

fn table_census(entry: Entry) -> Option<TableCensus> {
    let block = entry.block.filter(|block| block.content != Content::LargeObjects)?;
    let counted = block.counted?;
    Some(TableCensus {
        schema: entry.schema,
        name: entry.name,
        rows: counted.rows,
        bytes: counted.bytes,
        sha256: counted.sha256,
        called: entry.called,
    })
}
