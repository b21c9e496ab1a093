//! Reading the head of a dump that has begun.

use archive::FRAME_SIZE;
use archive::weave::{Head, HeadReader, Read};

use crate::Dump;

/// A dump whose head has been read.
pub(super) struct Begun {
    /// Why nothing can be woven from it, in words, where that is so.
    pub(super) head: Result<Head, String>,
    /// All that was read, some of it perhaps from behind the head.
    pub(super) read: Vec<u8>,
}

/// Reads the head; `None` where pg_dump ended before.
pub(super) fn begin(dump: &mut Dump) -> Option<Begun> {
    let mut reader = HeadReader::default();
    loop {
        let mut block = Vec::new();
        if dump.read_some(&mut block, FRAME_SIZE).is_err() || block.is_empty() {
            return None;
        }
        let head = match reader.feed(&block) {
            Ok(Read::More) => continue,
            Ok(Read::Whole(head)) => Ok(head),
            Ok(Read::Unfit) => Err("the archive's contents are of another kind, or too many".to_owned()),
            // Whoever reads the archive will say what is wrong with it.
            Err(damage) => Err(damage.to_string()),
        };
        return Some(Begun { head, read: reader.into_bytes() });
    }
}
