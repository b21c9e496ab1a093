//! Decompresses anybody's gzip member or zstd frame as its bytes come in, on one core.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

use super::inflate::Codec;

/// One member or frame whose end shows only while it is decompressed.
///
/// Memory is the window that the stream asks for: 32 KiB for gzip; up to 128 MiB for zstd, the limit of `zstd -d` too.
pub(super) enum Stream {
    Gzip(Box<Decompress>),
    Zstd(Decoder<'static>),
}

/// What one step made of its input.
pub(super) struct Step {
    pub(super) used: usize,
    pub(super) made: usize,
    /// The member or frame is complete, its checksum right.
    pub(super) ended: bool,
}

impl Stream {
    pub(super) fn new(codec: Codec) -> Result<Self, String> {
        const WINDOW_BITS: u8 = 15;
        match codec {
            Codec::Gzip => Ok(Self::Gzip(Box::new(Decompress::new_gzip(WINDOW_BITS)))),
            Codec::Zstd => Decoder::new().map(Stream::Zstd).map_err(|error| error.to_string()),
        }
    }

    /// Decompresses from `stored` into `plain` until one of them is used up or the member or frame ends.
    pub(super) fn step(&mut self, stored: &[u8], plain: &mut [u8]) -> Result<Step, String> {
        match self {
            Self::Gzip(decompress) => {
                let (before_in, before_out) = (decompress.total_in(), decompress.total_out());
                let status = decompress
                    .decompress(stored, plain, FlushDecompress::None)
                    // Which of its reasons flate2 gives depends on how the input was divided: none says more.
                    .map_err(|_| "gzip member doesn't inflate".to_owned())?;
                Ok(Step {
                    used: (decompress.total_in() - before_in) as usize,
                    made: (decompress.total_out() - before_out) as usize,
                    ended: status == Status::StreamEnd,
                })
            }
            Self::Zstd(decoder) => {
                let mut stored = InBuffer::around(stored);
                let mut plain = OutBuffer::around(plain);
                let left = decoder
                    .run(&mut stored, &mut plain)
                    .map_err(|error| format!("zstd frame doesn't decompress: {error}"))?;
                Ok(Step { used: stored.pos(), made: plain.pos(), ended: left == 0 })
            }
        }
    }
}
