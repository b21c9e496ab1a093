//! The table of contents a second time, behind the last data block.
//!
//! Into a file pg_dump writes its table of contents first, then the data, and then goes back and writes the contents over again, with
//! where the data lies (`_CloseArchive` in pg_backup_custom.c). A shell's `>>`, and whatever else opens the file for appending, lets
//! nobody go back: the second one lands at the end. pg_restore reads the first, and never comes to it.

use serde::{Deserialize, Serialize};

use super::{
    contents::{Contents, ContentsReader, Entry, Fingerprint},
    header::Header,
    values::{Input, Stop},
};

/// Reads it, and tells whether it is the first once more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SecondContents {
    reader: ContentsReader,
    /// Of the first.
    seen: Fingerprint,
    /// How many entries with data it has named, and where in the first the next one is looked for.
    named: usize,
    #[serde(skip)]
    at: usize,
    /// Where the next one's block begins.
    begins: u64,
    begun: bool,
}

impl SecondContents {
    /// `begins`: where the first data block does.
    pub(super) fn new(header: &Header, begins: u64, seen: Fingerprint) -> Self {
        Self { reader: ContentsReader::new(header), seen, named: 0, at: 0, begins, begun: false }
    }

    /// Its number of entries has been read, and is right.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Reads on to its end: whether it says the same as the first, and where it says that data lies, the truth.
    pub(super) fn read(&mut self, contents: &Contents, input: &mut Input<'_>) -> Result<bool, Stop> {
        if self.reader.read_count(input)? != self.seen.entries {
            return Ok(false);
        }
        self.begun = true;
        while let Some(entry) = self.reader.read_entry((false, false), input)? {
            let Some(block) = &entry.block else { continue };
            let Some(end) =
                self.next(contents).filter(|first| first.dump_id == entry.dump_id).and_then(Entry::data_end)
            else {
                return Ok(false);
            };
            if block.offset.is_some_and(|offset| offset != self.begins) {
                return Ok(false);
            }
            self.named += 1;
            self.begins = end;
        }
        Ok(self.reader.fingerprint() == self.seen)
    }

    /// The first's next entry with data.
    fn next<'a>(&mut self, contents: &'a Contents) -> Option<&'a Entry> {
        let with_data = || contents.entries.iter().enumerate().filter(|(_, entry)| entry.has_data());
        let next = match self.at {
            // After it was saved.
            0 => with_data().nth(self.named),
            at => contents.entries.iter().enumerate().skip(at).find(|(_, entry)| entry.has_data()),
        };
        let (at, entry) = next?;
        self.at = at + 1;
        Some(entry)
    }
}
