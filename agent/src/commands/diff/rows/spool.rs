//! Temporary files of rows: each a line, its fields parted by tabs, those of the key first. They have no names: nothing is left of them
//! however the run ends, and nobody else can open them.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufWriter, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::answers::failure::{Exit, Failure};

/// Bytes that are written and read at once.
const BLOCK: usize = 256 << 10;

/// A file of rows.
pub(super) struct Spool {
    file: BufWriter<File>,
    length: u64,
    row: Vec<u8>,
}

/// A part of a file: all rows of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) begin: u64,
    pub(super) end: u64,
}

impl Stretch {
    pub(super) fn length(self) -> u64 {
        self.end - self.begin
    }
}

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// Exit 1 when the folder takes none.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, Failure> {
        let file = tempfile::tempfile_in(folder).map_err(|error| unwritable(&error, folder))?;
        Ok(Self { file: BufWriter::with_capacity(BLOCK, file), length: 0, row: Vec::new() })
    }

    /// Adds these fields of a row of COPY text.
    pub(super) fn put_row(&mut self, row: &[u8], fields: &[usize]) -> io::Result<()> {
        self.row.clear();
        let all: Vec<&[u8]> = row.split(|byte| *byte == b'\t').collect();
        for (place, field) in fields.iter().enumerate() {
            if place > 0 {
                self.row.push(b'\t');
            }
            let field = all.get(*field).ok_or_else(|| io::Error::other("a row has fewer fields than columns"))?;
            self.row.extend_from_slice(field);
        }
        self.row.push(b'\n');
        self.length += self.row.len() as u64;
        self.file.write_all(&self.row)
    }

    /// Adds a line as it is.
    pub(super) fn put_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.length += line.len() as u64;
        self.file.write_all(line)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The whole file.
    pub(super) fn all(&self) -> Stretch {
        Stretch { begin: 0, end: self.length }
    }

    /// With all that was put in the file.
    pub(super) fn flushed(mut self) -> io::Result<Self> {
        self.file.flush()?;
        Ok(self)
    }

    /// The lines of a part.
    pub(super) fn lines(&self, stretch: Stretch) -> Lines<'_> {
        let part = Part { file: self.file.get_ref(), at: stretch.begin, end: stretch.end };
        Lines(io::BufReader::with_capacity(BLOCK, part), Vec::new())
    }

    /// The bytes of a part, all at once.
    pub(super) fn load(&self, stretch: Stretch) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(stretch.length()).map_err(io::Error::other)?];
        self.file.get_ref().read_exact_at(&mut bytes, stretch.begin)?;
        Ok(bytes)
    }
}

/// Lines, one after the other.
pub(super) struct Lines<'a>(io::BufReader<Part<'a>>, Vec<u8>);

impl Lines<'_> {
    /// The next one, with its end; `None` when there are no more.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        use io::BufRead as _;
        self.1.clear();
        let length = self.0.read_until(b'\n', &mut self.1)?;
        Ok((length > 0).then_some(self.1.as_slice()))
    }
}

struct Part<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        let read = self.file.read_at(into.split_at_mut(length).0, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Shares lines out among several files, so that lines with the same key come into the same one.
pub(super) struct Shares {
    state: RandomState,
    count: usize,
}

impl Shares {
    pub(super) fn among(count: usize) -> Self {
        Self { state: RandomState::new(), count: count.max(1) }
    }

    /// Which of the files a key belongs to.
    pub(super) fn of(&self, key: &[u8]) -> usize {
        let hash = self.state.hash_one(key);
        usize::try_from(hash % self.count as u64).unwrap_or(0)
    }
}

/// A temporary file that cannot be made or has no room.
pub(super) fn unwritable(error: &io::Error, folder: &Path) -> Failure {
    Failure::new(Exit::Failed, format!("cannot write a temporary file in {}: {error}", folder.display())).hint(
        "set TMPDIR to a folder with room for the rows of these tables of both backups, or name fewer with --table",
    )
}

/// A temporary file that cannot be read back.
pub(super) fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot read a temporary file back: {error}"))
}
