//! zstd frames (RFC 8878) that stand alone: ours, and those of others that state a content of at most a frame.
//! Their length is found by stepping from block header to block header, without decompressing anything.

use zstd::bulk::{Compressor, Decompressor};
use zstd::stream::raw::CParameter;

use super::{FRAME_SIZE, Measure, STORED_FRAME_LIMIT};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Largest block, stored or decompressed (RFC 8878, 3.1.1.2.4).
const BLOCK_LIMIT: usize = 128 << 10;
const CHECKSUM: usize = 4;
/// The largest window that the decoder takes without being told to: the limit of `zstd -d` too.
const WINDOW_LIMIT: u64 = 128 << 20;

/// Whether a frame, or a skippable one, can begin with these bytes, of which there may be fewer than the magic has.
pub(super) fn can_begin(held: &[u8]) -> bool {
    let skippable = held.iter().zip([0x5f, 0x2a, 0x4d, 0x18]).enumerate();
    let mut skippable =
        skippable.map(|(at, (&byte, magic))| if at == 0 { byte | 0x0f == magic } else { byte == magic });
    held.starts_with(&MAGIC) || MAGIC.starts_with(held) || skippable.all(|same| same)
}

/// Measures one frame as its bytes come in.
#[derive(Debug, Default)]
pub(super) struct Ruler {
    /// Where the next block's header stands, once the frame's header has been read.
    block: Option<usize>,
    checksum: usize,
}

impl Ruler {
    /// `held` is the frame from its beginning, which [`can_begin`] one.
    pub(super) fn measure(&mut self, held: &[u8]) -> Result<Measure, String> {
        match self.block {
            Some(at) => self.step_over_blocks(held, at),
            None => self.read_header(held),
        }
    }

    fn read_header(&mut self, held: &[u8]) -> Result<Measure, String> {
        let Some((magic, rest)) = held.split_first_chunk::<4>() else { return Ok(Measure::Need(MAGIC.len() + 1)) };
        if *magic != MAGIC {
            let Some(length) = rest.first_chunk() else { return Ok(Measure::Need(8)) };
            return Ok(Measure::Skip(8 + u64::from(u32::from_le_bytes(*length))));
        }
        let Some((&descriptor, rest)) = rest.split_first() else { return Ok(Measure::Need(MAGIC.len() + 1)) };
        let single_segment = descriptor & 0x20 != 0;
        let has_dictionary = descriptor & 0x03 != 0;
        let size_field = match descriptor >> 6 {
            0 => usize::from(single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        if has_dictionary {
            return Ok(Measure::Beyond("it needs a dictionary to be decompressed (zstd -D)".to_owned()));
        }
        if size_field == 0 {
            // Without a size there is a window, behind the descriptor.
            let Some(&window) = held.get(MAGIC.len() + 1) else { return Ok(Measure::Need(MAGIC.len() + 2)) };
            return Ok(streamed(window_size(window)));
        }
        let window = usize::from(!single_segment);
        let end = MAGIC.len() + 1 + window + size_field;
        let Some(size) = rest.get(window..window + size_field) else { return Ok(Measure::Need(end)) };
        let size = size.iter().rev().fold(0, |size: u64, &byte| size << 8 | u64::from(byte));
        let size = if size_field == 2 { size + 256 } else { size };
        if size > FRAME_SIZE as u64 {
            let window = held.get(MAGIC.len() + 1).filter(|_| !single_segment).map(|window| window_size(*window));
            return Ok(streamed(window.unwrap_or(size)));
        }
        self.checksum = if descriptor & 0x04 != 0 { CHECKSUM } else { 0 };
        self.step_over_blocks(held, end)
    }

    fn step_over_blocks(&mut self, held: &[u8], mut at: usize) -> Result<Measure, String> {
        while let Some(&[a, b, c]) = held.get(at..).and_then(<[u8]>::first_chunk::<3>) {
            let header = u32::from_le_bytes([a, b, c, 0]);
            let size = (header >> 3) as usize;
            let stored = match header >> 1 & 3 {
                0 | 2 if size <= BLOCK_LIMIT => size,
                1 => 1,
                _ => return Err("zstd frame has a block that can't be".to_owned()),
            };
            at += 3 + stored;
            if at + self.checksum > STORED_FRAME_LIMIT {
                return Err("zstd frame is longer than its content can need".to_owned());
            }
            if header & 1 == 1 {
                return Ok(Measure::Whole(at + self.checksum));
            }
        }
        self.block = Some(at);
        Ok(Measure::Need(at + 3))
    }
}

/// What a frame's window descriptor says, in bytes (RFC 8878, 3.1.1.1.2).
fn window_size(descriptor: u8) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}

/// A frame that is decompressed as it comes, in this much memory.
fn streamed(window: u64) -> Measure {
    if window <= WINDOW_LIMIT {
        return Measure::Stream;
    }
    let (window, limit) = (window >> 20, WINDOW_LIMIT >> 20);
    Measure::Beyond(format!("it takes {window} MiB of memory to decompress, more than {limit} MiB (zstd --long)"))
}

pub(super) struct FrameCompressor {
    compressor: Compressor<'static>,
    compressed: Vec<u8>,
}

impl FrameCompressor {
    pub(super) fn new(level: i32) -> Result<Self, String> {
        let mut compressor = Compressor::new(level).map_err(|error| error.to_string())?;
        compressor.set_parameter(CParameter::ChecksumFlag(true)).map_err(|error| error.to_string())?;
        Ok(Self { compressor, compressed: vec![0; STORED_FRAME_LIMIT] })
    }

    /// Puts `plain`, at most a frame of it, into `frame` in place of what was there.
    pub(super) fn compress(&mut self, plain: &[u8], frame: &mut Vec<u8>) -> Result<(), String> {
        let compressed = self.compressed.as_mut_slice();
        let length = self.compressor.compress_to_buffer(plain, compressed).map_err(|error| error.to_string())?;
        frame.clear();
        frame.reserve_exact(length);
        frame.extend_from_slice(self.compressed.split_at(length).0);
        Ok(())
    }
}

/// Decompresses one whole frame into `plain` and says how many bytes that made.
pub(super) fn inflate(decompressor: &mut Decompressor<'_>, frame: &[u8], plain: &mut [u8]) -> Result<usize, String> {
    decompressor.decompress_to_buffer(frame, plain).map_err(|error| format!("zstd frame doesn't decompress: {error}"))
}
