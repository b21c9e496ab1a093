//! Rows on their way from the archive into the database wait in a file without a name. Its room is used again and again: what
//! has been read makes place for what comes, so the file stays small, and in memory, as long as the server keeps up.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// The longest chunk, in bytes.
pub(super) const SLOT: usize = 1 << 20;

/// Bytes in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    slot: u64,
    length: u32,
}

/// Which room of the file is taken. A chunk that is handed out is given back once.
#[derive(Debug, Default)]
pub(super) struct Room {
    free: Vec<u64>,
    slots: u64,
    taken: u64,
}

impl Room {
    /// Room for a chunk of so many bytes, at most [`SLOT`].
    pub(super) fn take(&mut self, length: u32) -> Chunk {
        self.taken += u64::from(length);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        Chunk { slot, length }
    }

    pub(super) fn give_back(&mut self, chunk: Chunk) {
        self.taken -= u64::from(chunk.length);
        self.free.push(chunk.slot);
    }

    /// How many bytes wait in the file.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}

/// Puts bytes where there is room for them.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write(file: &File, chunk: &Chunk, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, chunk.slot * SLOT as u64)
}

/// The chunk's bytes, in `block` in place of what was there.
///
/// # Errors
/// When the file can't be read.
pub(super) fn read(file: &File, chunk: &Chunk, block: &mut Vec<u8>) -> io::Result<()> {
    block.resize(chunk.length as usize, 0);
    file.read_exact_at(block, chunk.slot * SLOT as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_was_given_back_is_taken_again() {
        let file = tempfile::tempfile().unwrap();
        let mut room = Room::default();
        let (one, two) = (room.take(3), room.take(5));
        write(&file, &one, b"one").unwrap();
        write(&file, &two, b"two, ").unwrap();
        let mut block = b"longer than both".to_vec();
        read(&file, &one, &mut block).unwrap();
        assert_eq!((block.as_slice(), room.taken()), (b"one".as_slice(), 8));
        room.give_back(one);
        assert_eq!(room.take(4).slot, 0);
        read(&file, &two, &mut block).unwrap();
        assert_eq!((block.as_slice(), room.taken()), (b"two, ".as_slice(), 9));
    }
}
