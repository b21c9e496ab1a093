//! Our gzip members (RFC 1952). Each carries an FEXTRA subfield `LG` whose 4 bytes are the whole member's length,
//! little-endian, so that a reader cuts the stream into members without inflating it.

use libdeflater::{CompressionLvl, Compressor, Decompressor};

use super::literals::Literals;
use super::{Measure, STORED_FRAME_LIMIT};

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Magic, deflate, FEXTRA. Then mtime, XFL and OS, in which we write "no time", "no hint" and "unknown": the same dump
/// gives the same bytes everywhere.
const START: [u8; 4] = [0x1f, 0x8b, 8, 4];
const NEUTRAL: [u8; 6] = [0, 0, 0, 0, 0, 255];
/// 8 bytes of extra field: subfield `LG` of 4.
const SUBFIELD: [u8; 6] = [8, 0, b'L', b'G', 4, 0];
const HEADER: usize = START.len() + NEUTRAL.len() + SUBFIELD.len() + 4;
/// CRC-32 and length of the content, little-endian.
const TRAILER: usize = 8;

/// Whether a member can begin with these bytes, of which there may be fewer than the magic has.
pub(super) fn can_begin(held: &[u8]) -> bool {
    held.starts_with(&MAGIC) || MAGIC.starts_with(held)
}

/// Tells from a member's first bytes whether it is one of ours, and how long. `held` begins with the magic.
pub(super) fn measure(held: &[u8]) -> Result<Measure, String> {
    let Some((header, _)) = held.split_first_chunk::<HEADER>() else { return Ok(Measure::Need(HEADER)) };
    let (fixed, length) = header.split_at(HEADER - 4);
    if !fixed.starts_with(&START) || !fixed.ends_with(&SUBFIELD) {
        return Ok(Measure::Stream);
    }
    let length = length.try_into().map_or(0, u32::from_le_bytes) as usize;
    if (HEADER + TRAILER..=STORED_FRAME_LIMIT).contains(&length) {
        Ok(Measure::Whole(length))
    } else {
        Err(format!("gzip member says it is {length} bytes long"))
    }
}

pub(super) struct MemberCompressor {
    compressor: Compressor,
    literals: Literals,
    deflated: Vec<u8>,
}

impl MemberCompressor {
    pub(super) fn new(level: CompressionLvl) -> Self {
        let (compressor, literals) = (Compressor::new(level), Literals::new());
        Self { compressor, literals, deflated: vec![0; STORED_FRAME_LIMIT] }
    }

    /// Puts `plain`, at most a frame of it, into `member` in place of what was there.
    pub(super) fn compress(&mut self, plain: &[u8], member: &mut Vec<u8>) -> Result<(), String> {
        let length = self.deflate(plain)?;
        let deflated = self.deflated.get(..length).unwrap_or_default();
        let whole = (HEADER + length + TRAILER) as u32;
        member.clear();
        member.reserve_exact(whole as usize);
        member.extend_from_slice(&START);
        member.extend_from_slice(&NEUTRAL);
        member.extend_from_slice(&SUBFIELD);
        member.extend_from_slice(&whole.to_le_bytes());
        member.extend_from_slice(deflated);
        member.extend_from_slice(&trailer(plain));
        Ok(())
    }

    fn deflate(&mut self, plain: &[u8]) -> Result<usize, String> {
        if self.literals.suffice(plain, &mut self.compressor)
            && let Some(length) = self.literals.deflate(plain, &mut self.deflated)
        {
            return Ok(length);
        }
        self.compressor.deflate_compress(plain, &mut self.deflated).map_err(|error| error.to_string())
    }
}

/// Inflates one of our members into `plain` and says how many bytes that made.
///
/// The trailer is checked where the length in `LG` says it stands, so a length that lies is found.
pub(super) fn inflate(decompressor: &mut Decompressor, member: &[u8], plain: &mut [u8]) -> Result<usize, String> {
    let body = member.get(HEADER..).and_then(<[u8]>::split_last_chunk::<TRAILER>);
    let Some((deflated, found)) = body else { return Err("gzip member is too short".to_owned()) };
    let length = decompressor.deflate_decompress(deflated, plain).map_err(|error| match error {
        libdeflater::DecompressionError::BadData => "gzip member doesn't inflate".to_owned(),
        libdeflater::DecompressionError::InsufficientSpace => "gzip member holds more than a frame may".to_owned(),
    })?;
    if *found == trailer(plain.get(..length).unwrap_or_default()) {
        Ok(length)
    } else {
        Err("gzip member's content differs from its checksum".to_owned())
    }
}

fn trailer(plain: &[u8]) -> [u8; TRAILER] {
    let sum = u64::from(libdeflater::crc32(plain)) | (plain.len() as u64) << 32;
    sum.to_le_bytes()
}
