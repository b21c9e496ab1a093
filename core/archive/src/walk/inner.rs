//! Decompressing what pg_dump compressed inside the archive: one stream per table or large object, cut into chunks.

use std::io::{self, BufRead, Cursor};

use flate2::{Decompress, FlushDecompress, Status};
use lz4_flex::frame::FrameDecoder;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::{header::InnerCompression, values::Stop};

const OUT_SIZE: usize = 128 << 10;
const ENDS_EARLY: &str = "its compressed stream ends early";
const GOES_ON: &str = "bytes follow the end of its compressed stream";

/// Takes one decompressed piece.
type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), Stop> + 'a;

/// The decompressor of an archive's streams, used for one after the other.
pub(super) enum Inner {
    None,
    Zlib(Inflate),
    Lz4(Box<Lz4>),
    Zstd(Unzstd),
}

impl Inner {
    pub(super) fn new(compression: InnerCompression) -> Self {
        match compression {
            InnerCompression::None => Self::None,
            InnerCompression::Zlib => Self::Zlib(Inflate::new()),
            InnerCompression::Lz4 => Self::Lz4(Box::default()),
            InnerCompression::Zstd => Self::Zstd(Unzstd::new()),
        }
    }

    /// Whether its state between two chunks of a stream can't be stored.
    pub(super) fn holds_state(&self) -> bool {
        !matches!(self, Self::None)
    }

    pub(super) fn push(&mut self, chunk: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        match self {
            Self::None => sink(chunk),
            Self::Zlib(inflate) => inflate.push(chunk, sink),
            Self::Lz4(lz4) => lz4.push(chunk, sink),
            Self::Zstd(unzstd) => unzstd.push(chunk, sink),
        }
    }

    /// Ends a stream, which must be complete, and makes ready for the next.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        match self {
            Self::None => Ok(()),
            Self::Zlib(inflate) => inflate.end(),
            Self::Lz4(lz4) => std::mem::take(lz4).end(),
            Self::Zstd(unzstd) => unzstd.end(),
        }
    }
}

/// What a whole stream comes to that arrives in chunks of this size; `None` where something is wrong with it.
#[cfg(any(test, fuzzing))]
pub(crate) fn decoded(compression: InnerCompression, stream: &[u8], chunk: usize) -> Option<Vec<u8>> {
    let mut inner = Inner::new(compression);
    let mut plain = Vec::new();
    let mut keep = |bytes: &[u8]| {
        plain.extend_from_slice(bytes);
        Ok(())
    };
    stream.chunks(chunk).try_for_each(|chunk| inner.push(chunk, &mut keep)).ok()?;
    inner.end().ok()?;
    Some(plain)
}

/// A zlib stream, which even empty content has.
pub(super) struct Inflate {
    stream: Decompress,
    out: Vec<u8>,
    ended: bool,
}

impl Inflate {
    fn new() -> Self {
        Self { stream: Decompress::new(true), out: vec![0; OUT_SIZE], ended: false }
    }

    fn push(&mut self, mut chunk: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        loop {
            if self.ended {
                return if chunk.is_empty() { Ok(()) } else { Err(GOES_ON.into()) };
            }
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.decompress(chunk, &mut self.out, FlushDecompress::None);
            self.ended = match status {
                Ok(status) => status == Status::StreamEnd,
                Err(error) => return Err(format!("its zlib stream is broken: {error}").into()),
            };
            chunk = chunk.split_at(length(self.stream.total_in() - read)).1;
            let produced = self.out.split_at(length(self.stream.total_out() - written)).0;
            if !produced.is_empty() {
                sink(produced)?;
            }
            if chunk.is_empty() && produced.len() < self.out.len() {
                return Ok(());
            }
        }
    }

    fn end(&mut self) -> Result<(), Stop> {
        let ended = std::mem::take(&mut self.ended);
        self.stream.reset(true);
        if ended { Ok(()) } else { Err(ENDS_EARLY.into()) }
    }
}

/// A count of bytes in a buffer, so it fits.
fn length(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// A zstd frame.
pub(super) struct Unzstd {
    stream: Option<Decoder<'static>>,
    out: Vec<u8>,
    within_frame: bool,
}

impl Unzstd {
    fn new() -> Self {
        Self { stream: None, out: vec![0; OUT_SIZE], within_frame: false }
    }

    fn push(&mut self, chunk: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        // libzstd takes a frame that it is given whole another way, which refuses less (a run of no bytes in an empty frame): what
        // a stream is must not depend on how it is cut.
        let (first, rest) = chunk.split_at(usize::from(!self.within_frame).min(chunk.len()));
        self.run(first, sink)?;
        self.run(rest, sink)
    }

    fn run(&mut self, chunk: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        if chunk.is_empty() {
            return Ok(());
        }
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(Decoder::new().map_err(broken_zstd)?),
        };
        let mut input = InBuffer::around(chunk);
        loop {
            let mut output = OutBuffer::around(self.out.as_mut_slice());
            self.within_frame = stream.run(&mut input, &mut output).map_err(broken_zstd)? != 0;
            let full = output.pos() == output.capacity();
            if output.pos() > 0 {
                sink(output.as_slice())?;
            }
            if input.pos() == chunk.len() && !full {
                return Ok(());
            }
        }
    }

    fn end(&mut self) -> Result<(), Stop> {
        let ended = !std::mem::take(&mut self.within_frame);
        self.stream.as_mut().map_or(Ok(()), Operation::reinit).map_err(broken_zstd)?;
        if ended { Ok(()) } else { Err(ENDS_EARLY.into()) }
    }
}

fn broken_zstd(error: io::Error) -> Stop {
    format!("its zstd frame is broken: {error}").into()
}

/// An LZ4 frame. Its decoder pulls, so it is given the frame's header and each block once they are whole.
#[derive(Default)]
pub(super) struct Lz4 {
    decoder: Option<FrameDecoder<Cursor<Vec<u8>>>>,
    item: Vec<u8>,
    frame: Lz4Frame,
}

/// Where in a frame the next item stands, and what the frame's flags say about the items' sizes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Lz4Frame {
    #[default]
    Header,
    Block(Lz4Flags),
    Ended,
}

/// Second byte behind the magic of an LZ4 frame, and the largest block, in bytes, that the third allows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Lz4Flags {
    flags: u8,
    largest_block: usize,
}

impl Lz4Flags {
    const CONTENT_CHECKSUM: u8 = 1 << 2;
    const CONTENT_SIZE: u8 = 1 << 3;
    const BLOCK_CHECKSUM: u8 = 1 << 4;

    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl Lz4 {
    fn push(&mut self, mut chunk: &[u8], sink: &mut Sink<'_>) -> Result<(), Stop> {
        while !chunk.is_empty() {
            if self.frame == Lz4Frame::Ended {
                return Err(GOES_ON.into());
            }
            let wanted = self.frame.item_size(&self.item)?.saturating_sub(self.item.len());
            let (taken, rest) = chunk.split_at(wanted.min(chunk.len()));
            self.item.extend_from_slice(taken);
            chunk = rest;
            if self.item.len() == self.frame.item_size(&self.item)? {
                self.decode(sink)?;
            }
        }
        Ok(())
    }

    /// Gives the decoder the item, which is whole.
    fn decode(&mut self, sink: &mut Sink<'_>) -> Result<(), Stop> {
        let item = std::mem::take(&mut self.item);
        let next = self.frame.behind(&item);
        let decoder = self.decoder.get_or_insert_with(|| FrameDecoder::new(Cursor::default()));
        let fed = decoder.get_mut();
        let read = length(fed.position()).min(fed.get_ref().len());
        fed.get_mut().drain(..read);
        fed.set_position(0);
        fed.get_mut().extend_from_slice(&item);
        self.item = item;
        self.item.clear();
        // The decoder reads a frame's header together with its first block.
        if self.frame != Lz4Frame::Header {
            let plain = decoder.fill_buf().map_err(|error| format!("its LZ4 frame is broken: {error}"))?;
            let size = plain.len();
            if size > 0 {
                sink(plain)?;
            }
            decoder.consume(size);
        }
        self.frame = next;
        Ok(())
    }

    /// pg_dump writes a frame even for empty content; no chunk at all is as good.
    fn end(self) -> Result<(), Stop> {
        let untouched = self.frame == Lz4Frame::Header && self.item.is_empty();
        if untouched || self.frame == Lz4Frame::Ended { Ok(()) } else { Err(ENDS_EARLY.into()) }
    }
}

impl Lz4Frame {
    /// How long the item is that begins with these bytes; or how many of them it takes to know.
    fn item_size(self, item: &[u8]) -> Result<usize, Stop> {
        match (self, item) {
            (Self::Header, [0x04, 0x22, 0x4d, 0x18, flags, ..]) => {
                let flags = Lz4Flags { flags: *flags, largest_block: 0 };
                Ok(if flags.has(Lz4Flags::CONTENT_SIZE) { 15 } else { 7 })
            }
            (Self::Header, [_, _, _, _, _, ..]) => Err("its LZ4 frame doesn't begin like one".into()),
            (Self::Header, _) => Ok(5),
            (Self::Block(flags), [0, 0, 0, 0, ..]) => Ok(if flags.has(Lz4Flags::CONTENT_CHECKSUM) { 8 } else { 4 }),
            (Self::Block(flags), [a, b, c, d, ..]) => {
                // The highest bit marks a block stored as it is.
                let size = length(u32::from_le_bytes([*a, *b, *c, *d & 0x7f]).into());
                if size > flags.largest_block {
                    return Err("its LZ4 frame has a block that is larger than the frame allows".into());
                }
                Ok(4 + size + if flags.has(Lz4Flags::BLOCK_CHECKSUM) { 4 } else { 0 })
            }
            (Self::Block(_), _) => Ok(4),
            (Self::Ended, _) => Ok(0),
        }
    }

    /// Where the frame stands behind this whole item.
    fn behind(self, item: &[u8]) -> Self {
        match (self, item) {
            (Self::Header, [_, _, _, _, flags, descriptor, ..]) => {
                let largest_block = match (descriptor >> 4) & 7 {
                    4 => 64 << 10,
                    5 => 256 << 10,
                    6 => 1 << 20,
                    _ => 4 << 20,
                };
                Self::Block(Lz4Flags { flags: *flags, largest_block })
            }
            (Self::Block(_), [0, 0, 0, 0, ..]) => Self::Ended,
            (frame, _) => frame,
        }
    }
}
