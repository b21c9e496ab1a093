//! Cuts a dump into the archive's head and its data blocks, while it goes by.

use ::archive::{Entry, Walk};

/// The archive's head, or the data block of this number, counted from 1 in the archive's order.
pub(super) type Block = usize;

/// Everything before the first data block.
pub(super) const HEAD: Block = 0;

/// Tells the reader which block its bytes belong to.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// Bytes of the dump so far.
    bytes: u64,
    /// What the next bytes belong to.
    block: Block,
    /// Index into the table of contents of the first entry whose data hasn't ended.
    next_entry: usize,
}

impl Splitter {
    /// The parts of the next bytes, each with the block that it belongs to. `walk` has just seen them.
    pub(super) fn split<'a>(&mut self, bytes: &'a [u8], walk: &Walk) -> Vec<(Block, &'a [u8])> {
        let ends = self.new_ends(walk);
        self.split_at(&ends, bytes)
    }

    /// What the bytes after these belong to.
    pub(super) fn block(&self) -> Block {
        self.block
    }

    /// Where blocks end that the walk has passed since it was asked last.
    fn new_ends(&mut self, walk: &Walk) -> Vec<u64> {
        let mut ends: Vec<u64> = walk.contents_end().into_iter().filter(|_| self.block == HEAD).collect();
        let rest = walk.contents().unwrap_or_default().iter().skip(self.next_entry);
        for entry in rest.take_while(|entry| !entry.has_data() || entry.data_end().is_some()) {
            ends.extend(Entry::data_end(entry));
            self.next_entry += 1;
        }
        ends
    }

    fn split_at<'a>(&mut self, ends: &[u64], bytes: &'a [u8]) -> Vec<(Block, &'a [u8])> {
        let mut parts = Vec::new();
        let mut rest = bytes;
        for end in ends {
            // An end that the walk tells late lies before these bytes.
            let length = usize::try_from(end.saturating_sub(self.bytes)).unwrap_or(rest.len()).min(rest.len());
            let (part, after) = rest.split_at(length);
            parts.push((self.block, part));
            (self.block, rest, self.bytes) = (self.block + 1, after, self.bytes + length as u64);
        }
        parts.push((self.block, rest));
        parts.retain(|(_, part)| !part.is_empty());
        self.bytes += rest.len() as u64;
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(splitter: &mut Splitter, length: usize, ends: &[u64]) -> Vec<(Block, usize, usize)> {
        let bytes: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let parts = splitter.split_at(ends, &bytes);
        parts.into_iter().map(|(block, part)| (block, part[0].into(), usize::from(part[0]) + part.len())).collect()
    }

    #[test]
    fn bytes_are_split_where_blocks_end() {
        let mut splitter = Splitter::default();
        assert_eq!(split(&mut splitter, 10, &[]), [(HEAD, 0, 10)]);
        assert_eq!(split(&mut splitter, 30, &[25, 30]), [(HEAD, 0, 15), (1, 15, 20), (2, 20, 30)]);
        assert_eq!(split(&mut splitter, 10, &[40]), [(3, 0, 10)], "an end that is known late");
        assert_eq!(split(&mut splitter, 5, &[55, 55]), [(3, 0, 5)], "an empty block");
        assert_eq!(splitter.block(), 5);
    }
}
