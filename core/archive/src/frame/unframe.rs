//! Expands a stored stream as it is fed, on one core, in less than 4 MiB for our frames. Between frames its place can be
//! saved, so that a function with a time limit goes on where it stopped.

use serde::{Deserialize, Serialize};

use super::cut::{Border, Cutter, Piece};
use super::inflate::{Block, Codec, Inflater};
use crate::sniff::Sniffer;
use crate::{Compression, Damage, Kind};

/// Stored bytes in, the dump's bytes out: the push form of [`Expander`](super::Expander).
pub(crate) struct Unframe {
    cutter: Cutter,
    inflater: Inflater,
    block: Block,
    stored_kind: Sniffer,
    plain_kind: Sniffer,
}

/// Where to go on: behind the last frame that was expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedUnframe {
    position: u64,
    border: Border,
    stored_kind: Kind,
    plain_kind: Kind,
}

impl SavedUnframe {
    /// Behind a frame of ours that ends before this stored byte, in a stream of a custom archive.
    pub(crate) fn behind_frame(position: u64, compression: Compression) -> Self {
        let (stored_kind, border) = match compression {
            Compression::Gzip => (Kind::Gzip, Border::behind_frame(Codec::Gzip)),
            Compression::Zstd => (Kind::Zstd, Border::behind_frame(Codec::Zstd)),
            Compression::None => (Kind::CustomArchive, Border::Plain),
        };
        Self { position, border, stored_kind, plain_kind: Kind::CustomArchive }
    }

    /// The stored byte with which feeding must go on: never more than have been fed.
    #[must_use]
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

impl Unframe {
    /// At a stream's beginning.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::at(Cutter::new(), Sniffer::default(), Sniffer::default())
    }

    /// At the place that was saved; the next bytes fed must be those at [`SavedUnframe::position`].
    #[must_use]
    pub(crate) fn resume(saved: SavedUnframe) -> Self {
        let cutter = Cutter::resume(saved.position, saved.border);
        Self::at(cutter, Sniffer::settled(saved.stored_kind), Sniffer::settled(saved.plain_kind))
    }

    fn at(cutter: Cutter, stored_kind: Sniffer, plain_kind: Sniffer) -> Self {
        Self { cutter, inflater: Inflater::default(), block: Block::default(), stored_kind, plain_kind }
    }

    /// Takes the next stored bytes, and gives `plain` what they expand to.
    ///
    /// # Errors
    /// Damage of the frames, or what `plain` finds. After that the rest of the stream makes no sense.
    pub(crate) fn feed(
        &mut self,
        mut stored: &[u8],
        plain: &mut dyn FnMut(&[u8]) -> Result<(), Damage>,
    ) -> Result<(), Damage> {
        self.stored_kind.feed(stored);
        while let Some(piece) = self.cutter.cut(&mut stored)? {
            match piece {
                Piece::Frame(frame) => {
                    self.inflater.inflate(&frame, &mut self.block)?;
                    self.cutter.recycle(frame.stored);
                    self.plain_kind.feed(self.block.plain());
                    plain(self.block.plain())?;
                }
                Piece::Plain(bytes) => {
                    self.plain_kind.feed(bytes);
                    plain(bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The stored stream ends here.
    ///
    /// # Errors
    /// It ends in the middle of a frame, or `plain` finds damage in the last bytes.
    pub(crate) fn finish(&mut self, plain: &mut dyn FnMut(&[u8]) -> Result<(), Damage>) -> Result<(), Damage> {
        self.stored_kind.end();
        if let Some(Piece::Plain(bytes)) = self.cutter.finish()? {
            self.plain_kind.feed(bytes);
            plain(bytes)?;
        }
        self.plain_kind.end();
        Ok(())
    }

    /// What the stored stream is, and, where that is a compression, what the content is; as far as known by now.
    #[must_use]
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let framed = matches!(self.stored_kind.kind(), Some(Kind::Gzip | Kind::Zstd));
        let plain_kind = self.plain_kind.kind().filter(|_| framed);
        self.stored_kind.kind().into_iter().chain(plain_kind).collect()
    }

    /// The last place between frames: everything before it has been expanded and given away, nothing behind it has.
    /// None before the kinds are known, for which 512 bytes suffice, and within a gzip or zstd stream that isn't cut into frames.
    #[must_use]
    pub(crate) fn save(&self) -> Option<SavedUnframe> {
        let (position, border) = self.cutter.border()?;
        let (stored_kind, plain_kind) = (self.stored_kind.kind()?, self.plain_kind.kind()?);
        Some(SavedUnframe { position, border, stored_kind, plain_kind })
    }
}

impl Default for Unframe {
    fn default() -> Self {
        Self::new()
    }
}
