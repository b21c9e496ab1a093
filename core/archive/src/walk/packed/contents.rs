//! `toc.dat`, turned into the head of a custom archive.

use serde::{Deserialize, Serialize};

use super::super::header::{InnerCompression, read_compression};
use super::super::values::{Input, Stop, Values};
use super::super::writing;
use super::header;
use crate::damage::Damage;

const MAGIC: &[u8] = b"PGDMP";
/// `archTar` of PostgreSQL's `ArchiveFormat`, which both forms have in their `toc.dat`; and `archDirectory`.
const FORMATS: [u8; 2] = [3, 5];
const CUSTOM: u8 = 1;
/// A name of a file is far shorter.
const LONGEST_NAME: usize = 1024;

/// What a `toc.dat` says.
#[derive(Clone, Debug)]
pub struct PackedContents {
    /// The head of the same archive in the custom format, up to its first data block.
    pub head: Vec<u8>,
    /// The files that the contents name, in their order.
    pub files: Vec<PackedFile>,
    /// How the files are compressed. What is zlib in a custom archive is gzip in a file, so the head says that nothing is.
    pub compression: InnerCompression,
}

/// A file that the contents name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedFile {
    /// The number of its entry.
    pub dump_id: i32,
    /// Without a suffix of compression.
    pub name: String,
    /// It lists large objects, each of which is a file of its own.
    pub large_objects: bool,
}

/// The bytes of a `toc.dat`, being read.
struct Toc<'a> {
    all: &'a [u8],
    input: Input<'a>,
    values: Values,
}

impl PackedContents {
    /// Reads a whole `toc.dat`.
    ///
    /// # Errors
    /// It is none, or isn't whole.
    pub fn read(toc: &[u8]) -> Result<Self, Damage> {
        let mut toc = Toc { all: toc, input: Input { rest: toc, position: 0 }, values: Values::default() };
        toc.contents().map_err(|stop| {
            let offset = toc.input.position;
            match stop {
                Stop::Starved => Damage::Truncated { offset, within: "toc.dat".into() },
                Stop::Broken(reason) => Damage::BadContents { offset, reason: format!("toc.dat: {reason}") },
                Stop::Found(damage) => damage,
            }
        })
    }
}

impl Toc<'_> {
    fn contents(&mut self) -> Result<PackedContents, Stop> {
        let (mut head, minor, offset_size, compression) = self.header()?;
        let begins = self.at();
        let count = self.values.int(&mut self.input)?;
        self.copy(&mut head, begins);
        let mut files = Vec::new();
        for _ in 0..count {
            self.entry(&mut head, &mut files, (minor, offset_size))?;
        }
        if !self.input.rest.is_empty() {
            return Err("bytes follow its end".into());
        }
        Ok(PackedContents { head, files, compression })
    }

    fn header(&mut self) -> Result<(Vec<u8>, u8, u8, InnerCompression), Stop> {
        let magic = self.input.up_to(MAGIC.len() as u64)?;
        if magic != MAGIC {
            return Err("it doesn't begin as one".into());
        }
        let [major, minor, _, int_size, offset_size] =
            [self.input.byte()?, self.input.byte()?, self.input.byte()?, self.input.byte()?, self.input.byte()?];
        header::check(major, minor, int_size, offset_size)?;
        let mut head = self.all.split_at(self.at()).0.to_vec();
        if !FORMATS.contains(&self.input.byte()?) {
            return Err("it is of another format".into());
        }
        head.push(CUSTOM);
        self.values = Values::sized(int_size, offset_size);
        let compression = read_compression(minor, &mut self.values, &mut self.input)?;
        let inner = if compression == InnerCompression::Zlib { InnerCompression::None } else { compression };
        header::compression(&mut head, minor, inner);
        let begins = self.at();
        for _ in 0..7 {
            self.values.int(&mut self.input)?;
        }
        for _ in 0..3 {
            self.values.skip_text(&mut self.input)?;
        }
        self.copy(&mut head, begins);
        Ok((head, minor, offset_size, compression))
    }

    /// One entry, as it is, but for the name of its file.
    fn entry(
        &mut self,
        head: &mut Vec<u8>,
        files: &mut Vec<PackedFile>,
        (minor, offset_size): (u8, u8),
    ) -> Result<(), Stop> {
        let begins = self.at();
        let (values, input) = (&mut self.values, &mut self.input);
        let dump_id = i32::try_from(values.int(input)?).map_err(|_| "an entry's number is out of range")?;
        values.int(input)?;
        (0..3).try_for_each(|_| values.skip_text(input))?;
        let kind = values.text(LONGEST_NAME, input)?.lossy();
        values.int(input)?;
        // Definition, DROP, COPY, schema, tablespace.
        (0..5).try_for_each(|_| values.skip_text(input))?;
        if minor >= 14 {
            values.skip_text(input)?;
        }
        if minor >= 16 {
            values.int(input)?;
        }
        (0..2).try_for_each(|_| values.skip_text(input))?;
        while values.text(0, input)?.length.is_some() {}
        let ends = self.at();
        head.extend(self.all.get(begins..ends).unwrap_or_default());
        let name = self.values.text(LONGEST_NAME, &mut self.input)?.lossy();
        writing::offset_of(head, offset_size, !name.is_empty());
        if !name.is_empty() {
            let large_objects = kind == "BLOBS";
            // What a tar's contents say of large objects' list is not so.
            let name = match (large_objects, minor) {
                (false, _) => name,
                (true, ..16) => "blobs.toc".to_owned(),
                (true, _) => format!("blobs_{dump_id}.toc"),
            };
            files.push(PackedFile { dump_id, name, large_objects });
        }
        Ok(())
    }

    fn at(&self) -> usize {
        self.all.len() - self.input.rest.len()
    }

    fn copy(&self, head: &mut Vec<u8>, begins: usize) {
        head.extend(self.all.get(begins..self.at()).unwrap_or_default());
    }
}
