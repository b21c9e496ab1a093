//! How a data block is written (`_StartData`, `_WriteData`, `_EndData` in pg_backup_custom.c), and how large objects are
//! taken over from another archive.

use crate::walk::writing;

/// The line that ends rows, and the newlines that pg_dump writes behind it.
const ROWS_END: &[u8] = b"\\.\n\n\n";
/// Bytes of an integer in an archive that can be woven: its sign, and four.
const INT: usize = 5;

/// The beginning of the block of the entry `dump_id`, before its rows.
pub fn begin(out: &mut Vec<u8>, dump_id: i32) {
    writing::table(out, dump_id);
}

/// What stands before the next `length` bytes of rows. Chunks may be of any length that fits, at least 1.
pub fn chunk(out: &mut Vec<u8>, length: usize) {
    writing::int(out, i32::try_from(length).unwrap_or(i32::MAX));
}

/// The end of a block of rows.
pub fn end(out: &mut Vec<u8>) {
    chunk(out, ROWS_END.len());
    out.extend_from_slice(ROWS_END);
    writing::end(out);
}

/// The data blocks of an archive that holds nothing but large objects, whose entries get other numbers.
#[derive(Debug)]
pub struct LargeObjects {
    dump_ids: std::vec::IntoIter<i32>,
    place: Place,
    /// Bytes of a number that haven't all come.
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Border,
    DumpId,
    Oid,
    Length,
    Chunk(usize),
}

impl LargeObjects {
    /// `dump_ids`: the numbers that the blocks get, one after the other.
    #[must_use]
    pub fn renumbered(dump_ids: Vec<i32>) -> Self {
        Self { dump_ids: dump_ids.into_iter(), place: Place::Border, held: Vec::new() }
    }

    /// Takes the next bytes behind the other archive's contents, and writes them with the new numbers.
    ///
    /// # Errors
    /// When they are no blocks of large objects, or more of them, in words.
    pub fn copy(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
        while let Some((&first, rest)) = input.split_first() {
            match self.place {
                Place::Border => {
                    if first != writing::LARGE_OBJECTS_BLOCK {
                        return Err("a block isn't of large objects");
                    }
                    input = rest;
                    self.place = Place::DumpId;
                }
                Place::Chunk(left) => {
                    let (taken, rest) = input.split_at(left.min(input.len()));
                    out.extend_from_slice(taken);
                    input = rest;
                    self.place = if left == taken.len() { Place::Length } else { Place::Chunk(left - taken.len()) };
                }
                Place::DumpId | Place::Oid | Place::Length => {
                    let (taken, rest) = input.split_at(input.len().min(INT - self.held.len()));
                    self.held.extend_from_slice(taken);
                    input = rest;
                    if self.held.len() == INT {
                        self.number(out)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether every number has had its block.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.place == Place::Border && self.dump_ids.len() == 0
    }

    /// A number has come whole.
    fn number(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let held = std::mem::take(&mut self.held);
        if self.place == Place::DumpId {
            let dump_id = self.dump_ids.next().ok_or("there are more blocks of large objects than entries")?;
            writing::large_objects(out, dump_id);
            self.place = Place::Oid;
            return Ok(());
        }
        out.extend_from_slice(&held);
        let value = held.get(1..).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
        self.place = match (self.place, value) {
            // Object 0 ends a block, and length 0 an object.
            (Place::Oid, 0) => Place::Border,
            (Place::Oid, _) => Place::Length,
            (_, 0) => Place::Oid,
            _ if held.first() != Some(&0) => return Err("a chunk's length is negative"),
            _ => Place::Chunk(value as usize),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two blocks, of objects 7 and 4,000,000,000 and of 9, as pg_dump writes them.
    fn blocks(first: i32, second: i32) -> Vec<u8> {
        let mut out = Vec::new();
        writing::large_objects(&mut out, first);
        for (oid, content) in [(7, &b"some text"[..]), (4_000_000_000_u32.cast_signed(), b""), (9, b"more")] {
            if oid == 9 {
                writing::end(&mut out);
                writing::large_objects(&mut out, second);
            }
            writing::int(&mut out, oid);
            writing::chunks(&mut out, content);
            writing::end(&mut out);
        }
        writing::end(&mut out);
        out
    }

    #[test]
    fn large_objects_are_taken_over_under_other_numbers() {
        for size in [1, 3, 7, 1000] {
            let (mut copy, mut out) = (LargeObjects::renumbered(vec![300, 70_000]), Vec::new());
            for piece in blocks(1, 2).chunks(size) {
                assert!(!copy.is_complete());
                copy.copy(piece, &mut out).unwrap();
            }
            assert!(copy.is_complete());
            assert_eq!(out, blocks(300, 70_000), "in pieces of {size}");
        }
    }

    #[test]
    fn what_does_not_belong_there_is_refused() {
        let copy = |ids: Vec<i32>, bytes: &[u8]| {
            let mut copy = LargeObjects::renumbered(ids);
            copy.copy(bytes, &mut Vec::new()).map(|()| copy.is_complete())
        };
        assert_eq!(copy(vec![1, 2, 3], &blocks(1, 2)), Ok(false), "a block is missing");
        assert!(copy(vec![1], &blocks(1, 2)).is_err(), "one too many");
        let mut rows = Vec::new();
        begin(&mut rows, 1);
        assert!(copy(vec![1], &rows).is_err(), "a table");
    }
}
