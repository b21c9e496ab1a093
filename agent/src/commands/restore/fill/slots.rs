//! Rows on their way from the archive into the database wait in slots of a file without a name. A slot that has been read is
//! used again, so the file stays small, and in memory, as long as the server keeps up.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// The size of a slot, in bytes.
pub(super) const SLOT_SIZE: usize = 1 << 20;

/// A slot that was handed out, and how much of it is filled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    number: u64,
    length: u32,
}

/// Which slots of the file are taken. Each that is handed out is given back once.
#[derive(Debug, Default)]
pub(super) struct Slots {
    free: Vec<u64>,
    /// How many there are.
    count: u64,
    /// Bytes in those that are taken.
    taken: u64,
}

impl Slots {
    /// A slot for `length` bytes, at most [`SLOT_SIZE`].
    pub(super) fn take(&mut self, length: u32) -> Slot {
        self.taken += u64::from(length);
        let number = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        Slot { number, length }
    }

    /// Takes it back.
    pub(super) fn give_back(&mut self, slot: Slot) {
        self.taken -= u64::from(slot.length);
        self.free.push(slot.number);
    }

    /// How many bytes wait in the file.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}

/// Writes a slot's bytes.
///
/// # Errors
/// When the file can't be written.
pub(super) fn write(file: &File, slot: &Slot, bytes: &[u8]) -> io::Result<()> {
    file.write_all_at(bytes, slot.number * SLOT_SIZE as u64)
}

/// Reads a slot's bytes into `block`, in place of what was there.
///
/// # Errors
/// When the file can't be read.
pub(super) fn read(file: &File, slot: &Slot, block: &mut Vec<u8>) -> io::Result<()> {
    block.resize(slot.length as usize, 0);
    file.read_exact_at(block, slot.number * SLOT_SIZE as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_that_was_given_back_is_taken_again() {
        let file = tempfile::tempfile().unwrap();
        let mut slots = Slots::default();
        let (one, two) = (slots.take(3), slots.take(5));
        write(&file, &one, b"one").unwrap();
        write(&file, &two, b"two, ").unwrap();
        let mut block = b"longer than both".to_vec();
        read(&file, &one, &mut block).unwrap();
        assert_eq!((block.as_slice(), slots.taken()), (b"one".as_slice(), 8));
        slots.give_back(one);
        assert_eq!(slots.take(4).number, 0);
        read(&file, &two, &mut block).unwrap();
        assert_eq!((block.as_slice(), slots.taken()), (b"two, ".as_slice(), 9));
    }
}
