//! A part of a table's data block, from the beginning of one of its chunks on: each an integer length and its bytes
//! (`_WriteData` in pg_backup_custom.c).

/// A chunk that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chunk's length can't be")]
pub struct BadChunk;

/// Takes the text out of chunks, wherever its pieces end.
#[derive(Debug)]
pub struct Chunks {
    /// Bytes of an integer without its sign.
    int_size: usize,
    length: Vec<u8>,
    left: u64,
    ended: bool,
}

impl Chunks {
    /// Before a chunk; `int_size` is the header's.
    #[must_use]
    pub fn new(int_size: u8) -> Self {
        Self { int_size: usize::from(int_size), length: Vec::new(), left: 0, ended: false }
    }

    /// Hands on the text in the next bytes, up to the chunk without text that ends a block.
    ///
    /// # Errors
    /// [`BadChunk`], or what `take` says.
    pub fn feed<E: From<BadChunk>>(
        &mut self,
        mut bytes: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() && !self.ended {
            if self.left > 0 {
                let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                let (text, rest) = bytes.split_at(length);
                self.left -= length as u64;
                bytes = rest;
                take(text)?;
                continue;
            }
            let missing = (self.int_size + 1).saturating_sub(self.length.len()).min(bytes.len());
            let (more, rest) = bytes.split_at(missing);
            self.length.extend_from_slice(more);
            bytes = rest;
            if self.length.len() == self.int_size + 1 {
                self.left = length(&self.length)?;
                self.ended = self.left == 0;
                self.length.clear();
            }
        }
        Ok(())
    }

    /// Whether the block has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether a chunk has begun and not ended.
    #[must_use]
    pub fn is_within_chunk(&self) -> bool {
        self.left > 0 || !self.length.is_empty()
    }
}

/// A sign, and a little-endian number.
fn length(written: &[u8]) -> Result<u64, BadChunk> {
    let Some((0, magnitude)) = written.split_first() else { return Err(BadChunk) };
    let length = magnitude
        .iter()
        .rev()
        .try_fold(0_u64, |length, byte| length.checked_mul(256).map(|length| length | u64::from(*byte)));
    length.filter(|length| *length <= 1 << 40).ok_or(BadChunk)
}
