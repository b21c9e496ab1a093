//! Frames: an archive's stored form, a run of independent gzip members or zstd frames, each at most [`FRAME_SIZE`] of the
//! dump. `gunzip`, `zcat` and `zstd -d` read them as one stream; we compress and expand them on all cores.
//!
//! [`compress`] makes them. [`Expander`] is pulled from and uses all cores; [`Unframe`] is fed, uses one, and can save its
//! place. Both read the gzip or zstd of others too: `cut` finds the frames that stand alone and streams through the rest.

mod compress;
mod cut;
mod expand;
mod gzip;
mod inflate;
mod literals;
mod stream;
#[cfg(test)]
mod tests;
mod ticket;
mod unframe;
mod zstd;

pub use compress::{Closed, FrameError, FrameInput, FrameOutput, FrameSettings, compress};
pub use expand::{Expander, damage};
pub(crate) use unframe::{SavedUnframe, Unframe};

/// Most bytes of the dump in one frame.
pub const FRAME_SIZE: usize = 1 << 20;

/// Most stored bytes of one frame: what doesn't compress grows a little. Both compressors' bounds for [`FRAME_SIZE`]
/// lie well below.
const STORED_FRAME_LIMIT: usize = FRAME_SIZE + (64 << 10);

/// How much of a frame is known from its first bytes.
#[derive(Debug, PartialEq, Eq)]
enum Measure {
    /// At least this many bytes from its beginning are needed to say more.
    Need(usize),
    /// It is this long, and decompresses by itself to at most [`FRAME_SIZE`].
    Whole(usize),
    /// Its length shows only while it is decompressed.
    Stream,
    /// It holds no content and is this long.
    Skip(u64),
    /// It may be whole, and can't be decompressed here, for this reason.
    Beyond(String),
}
