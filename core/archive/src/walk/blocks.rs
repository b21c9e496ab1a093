//! The data blocks (`_StartData`, `_StartLOs`, `_skipData` in pg_backup_custom.c): a type, the dump id of the entry whose
//! data it is, then the data as chunks, each an integer length and its bytes, up to a length of 0. A block of large objects
//! has for each its OID before its chunks, and an OID of 0 at the end.
//!
//! Behind the last block the table of contents may stand a second time: `second`.

use serde::{Deserialize, Serialize};

use super::{
    contents::{Content, Contents, Counted, Fingerprint},
    header::Header,
    inner::Inner,
    observer::Observer,
    second::SecondContents,
    tally::{Sum, Tally},
    values::{Input, Stop, Values},
    writing::{LARGE_OBJECTS_BLOCK, TABLE_BLOCK},
};
use crate::{census::LargeObjectCensus, damage::Damage};

/// Reads data blocks and counts what they hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Blocks {
    values: Values,
    place: Place,
    /// Where the first block starts.
    #[serde(default)]
    pub(super) first: u64,
    /// Where the current block starts.
    start: u64,
    /// Where the current chunk starts.
    #[serde(skip)]
    chunk: u64,
    /// Whether its type says that it holds large objects.
    large_objects: bool,
    stream: Stream,
    pub(super) census: LargeObjectCensus,
    /// What may follow the last block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second: Option<Box<SecondContents>>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// A block, or the archive's end.
    Border,
    DumpId,
    LargeObjectOid,
    ChunkLength,
    Chunk {
        left: u64,
    },
    /// Within the second table of contents.
    SecondContents,
    /// Behind it.
    Ended,
}

/// The stream of chunks being read.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stream {
    Table(Tally),
    LargeObject(Sum),
}

impl Blocks {
    /// Before the first block, which starts at `first`; `seen` is the table of contents.
    pub(super) fn new(header: &Header, first: u64, seen: Fingerprint) -> Self {
        Self {
            values: Values::sized(header.int_size, header.offset_size),
            place: Place::Border,
            first,
            start: first,
            chunk: first,
            large_objects: false,
            stream: Stream::LargeObject(Sum::default()),
            census: LargeObjectCensus::default(),
            second: Some(Box::new(SecondContents::new(header, first, seen))),
        }
    }

    /// Whether a stream of chunks has begun.
    pub(super) fn within_stream(&self) -> bool {
        matches!(self.place, Place::ChunkLength | Place::Chunk { .. })
    }

    /// Reads on until the input is used up; never returns without a reason to stop.
    pub(super) fn read(
        &mut self,
        contents: &mut Contents,
        (inner, observer): (&mut Inner, &mut dyn Observer),
        input: &mut Input<'_>,
    ) -> Stop {
        loop {
            let next = match self.place {
                Place::Border => self.begin_block(contents, input),
                Place::DumpId => self.enter_block(contents, observer, input),
                Place::LargeObjectOid => self.begin_large_object(contents, input),
                Place::ChunkLength => self.begin_chunk(contents, (inner, observer), input),
                Place::Chunk { left } => self.read_chunk(left, (inner, observer), input),
                Place::SecondContents => self.read_second(contents, input),
                Place::Ended if input.rest.is_empty() => Err(Stop::Starved),
                Place::Ended => Err(Stop::Found(Damage::TrailingBytes { offset: input.position })),
            };
            match next {
                Ok(place) => self.place = place,
                Err(Stop::Broken(reason)) => {
                    let object = self.object(contents);
                    return Stop::Found(Damage::BadBlock { offset: self.start, object, reason: reason.into() });
                }
                Err(stop) => return stop,
            }
        }
    }

    fn begin_block(&mut self, contents: &Contents, input: &mut Input<'_>) -> Result<Place, Stop> {
        self.start = input.position;
        if contents.awaited().is_none() && !input.rest.is_empty() {
            return Ok(Place::SecondContents);
        }
        let kind = input.byte()?;
        self.large_objects = kind == LARGE_OBJECTS_BLOCK;
        match kind {
            TABLE_BLOCK | LARGE_OBJECTS_BLOCK => Ok(Place::DumpId),
            _ => Err(format!("its type is {kind}").into()),
        }
    }

    /// Anything but the same table of contents is what doesn't belong there.
    fn read_second(&mut self, contents: &Contents, input: &mut Input<'_>) -> Result<Place, Stop> {
        let is_second = match &mut self.second {
            Some(second) => second.read(contents, input),
            None => Ok(false),
        };
        match is_second {
            Ok(true) => Ok(Place::Ended),
            Err(Stop::Starved) => Err(Stop::Starved),
            _ => Err(Stop::Found(Damage::TrailingBytes { offset: self.start })),
        }
    }

    /// The block must be the one that the awaited entry promises.
    fn enter_block(
        &mut self,
        contents: &Contents,
        observer: &mut dyn Observer,
        input: &mut Input<'_>,
    ) -> Result<Place, Stop> {
        let dump_id = self.values.int(input)?;
        let awaited = contents.awaited().filter(|entry| i64::from(entry.dump_id) == dump_id);
        let Some((entry, block)) = awaited.and_then(|entry| Some((entry, entry.block.as_ref()?))) else {
            return Err(Stop::Found(self.unexpected_block(dump_id, contents)));
        };
        if self.large_objects != (block.content == Content::LargeObjects) {
            return Err("its block is of the other type".into());
        }
        if let Some(promised) = block.offset.filter(|&promised| promised != self.start) {
            return Err(format!("the table of contents has it at byte {promised}").into());
        }
        self.stream = Stream::Table(Tally::of(block.content, contents.compares, block.columns.as_deref()));
        if block.content == Content::Rows {
            observer.begin(entry.dump_id, input.position);
        }
        Ok(if self.large_objects { Place::LargeObjectOid } else { Place::ChunkLength })
    }

    fn unexpected_block(&self, dump_id: i64, contents: &Contents) -> Damage {
        let offset = self.start;
        let Some(entry) = contents.find(dump_id) else { return Damage::UnknownBlock { offset, dump_id } };
        let object = entry.to_string();
        match entry.block.as_ref().and_then(|block| block.counted) {
            Some(_) => Damage::DuplicateBlock { offset, object },
            None => Damage::MisplacedBlock { offset, object, expected: self.object(contents) },
        }
    }

    fn begin_large_object(&mut self, contents: &mut Contents, input: &mut Input<'_>) -> Result<Place, Stop> {
        let oid = match self.values.int(input)? {
            0 => {
                contents.complete(Counted::default(), input.position);
                return Ok(Place::Border);
            }
            oid => large_object_oid(oid)?,
        };
        let mut sum = Sum::default();
        sum.prefix(&oid.to_be_bytes());
        self.stream = Stream::LargeObject(sum);
        Ok(Place::ChunkLength)
    }

    fn begin_chunk(
        &mut self,
        contents: &mut Contents,
        (inner, observer): (&mut Inner, &mut dyn Observer),
        input: &mut Input<'_>,
    ) -> Result<Place, Stop> {
        if self.values.is_between() {
            self.chunk = input.position;
        }
        match u64::try_from(self.values.int(input)?) {
            Ok(0) => {
                inner.end()?;
                self.end_stream(contents, observer, input.position)
            }
            Ok(left) => Ok(Place::Chunk { left }),
            Err(_) => Err("a chunk's length is negative".into()),
        }
    }

    fn read_chunk(
        &mut self,
        left: u64,
        (inner, observer): (&mut Inner, &mut dyn Observer),
        input: &mut Input<'_>,
    ) -> Result<Place, Stop> {
        let chunk = input.up_to(left)?;
        let (stream, begin) = (&mut self.stream, self.chunk);
        inner.push(chunk, &mut |plain| {
            if stream.is_rows() {
                observer.text(begin, plain);
            }
            stream.add(plain)
        })?;
        Ok(match left - chunk.len() as u64 {
            0 => Place::ChunkLength,
            left => Place::Chunk { left },
        })
    }

    fn end_stream(&mut self, contents: &mut Contents, observer: &mut dyn Observer, end: u64) -> Result<Place, Stop> {
        match std::mem::replace(&mut self.stream, Stream::LargeObject(Sum::default())) {
            Stream::Table(tally) => {
                if matches!(tally, Tally::Rows(_)) {
                    observer.end(end);
                }
                contents.complete(tally.finish()?, end);
                Ok(Place::Border)
            }
            Stream::LargeObject(sum) => {
                let (bytes, sha256) = sum.finish();
                self.census.add(bytes, sha256);
                Ok(Place::LargeObjectOid)
            }
        }
    }

    /// The damage when the dump ends here; `None` where an archive may end.
    pub(super) fn cut_off(&self, contents: &Contents, offset: u64) -> Option<Damage> {
        if self.place == Place::SecondContents {
            let has_begun = self.second.as_ref().is_some_and(|second| second.has_begun());
            let within = "the second table of contents, behind the data".to_owned();
            return Some(match has_begun {
                true => Damage::Truncated { offset, within },
                false => Damage::TrailingBytes { offset: self.start },
            });
        }
        if !matches!(self.place, Place::Border | Place::Ended) {
            return Some(Damage::Truncated { offset, within: self.object(contents) });
        }
        contents.awaited().map(|first| Damage::MissingBlocks {
            offset,
            object: first.to_string(),
            missing: contents.missing() as u64,
            promised: contents.with_data().count() as u64,
        })
    }

    /// The table or object that the current block is of, in words.
    fn object(&self, contents: &Contents) -> String {
        contents.awaited().map_or_else(|| "a data block".into(), ToString::to_string)
    }
}

impl Stream {
    fn is_rows(&self) -> bool {
        matches!(self, Self::Table(Tally::Rows(_)))
    }

    fn add(&mut self, plain: &[u8]) -> Result<(), Stop> {
        match self {
            Self::Table(tally) => Ok(tally.add(plain)?),
            Self::LargeObject(sum) => {
                sum.add(plain);
                Ok(())
            }
        }
    }
}

/// pg_dump writes the unsigned OID as a signed integer.
fn large_object_oid(written: i64) -> Result<u32, Stop> {
    let signed = i32::try_from(written).map(i32::cast_unsigned).ok();
    signed.or_else(|| u32::try_from(written).ok()).ok_or_else(|| format!("a large object's OID is {written}").into())
}
