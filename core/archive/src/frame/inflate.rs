//! One core's worth of decompressing frames that stand alone.

use super::{FRAME_SIZE, gzip, zstd};
use crate::Damage;

/// How the frames of a stream are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Codec {
    Gzip,
    Zstd,
}

/// A frame that stands alone, still compressed.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) codec: Codec,
    /// Where it begins in the stored stream.
    pub(super) offset: u64,
    pub(super) stored: Vec<u8>,
}

/// Up to [`FRAME_SIZE`] bytes of the dump. The buffer keeps its full length, so that reusing it costs nothing.
#[derive(Debug, Default)]
pub(super) struct Block {
    buffer: Vec<u8>,
    length: usize,
}

impl Block {
    pub(super) fn plain(&self) -> &[u8] {
        self.buffer.split_at(self.length).0
    }

    /// Takes over as much of `plain` as a block holds, and says how much that was.
    pub(super) fn copy(&mut self, plain: &[u8]) -> usize {
        self.length = self.space().iter_mut().zip(plain).map(|(to, from)| *to = *from).count();
        self.length
    }

    fn space(&mut self) -> &mut [u8] {
        self.buffer.resize(FRAME_SIZE, 0);
        &mut self.buffer
    }
}

#[derive(Default)]
pub(super) struct Inflater {
    gzip: Option<libdeflater::Decompressor>,
    zstd: Option<::zstd::bulk::Decompressor<'static>>,
}

impl Inflater {
    /// Decompresses `frame` into `block`, in place of what was there.
    pub(super) fn inflate(&mut self, frame: &Frame, block: &mut Block) -> Result<(), Damage> {
        let space = block.space();
        let length = match frame.codec {
            Codec::Gzip => {
                let decompressor = self.gzip.get_or_insert_with(libdeflater::Decompressor::new);
                gzip::inflate(decompressor, &frame.stored, space)
            }
            Codec::Zstd => zstd::inflate(self.zstd.get_or_insert_default(), &frame.stored, space),
        };
        block.length = length.map_err(|reason| Damage::BadFrame { offset: frame.offset, reason })?;
        Ok(())
    }
}
