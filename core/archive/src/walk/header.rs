//! The archive's header (`ReadHead` in pg_backup_archiver.c).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::values::{Input, Stop, Values};
use crate::{
    damage::Damage,
    sniff::{SNIFF_LEN, sniff},
};

const MAGIC: &[u8] = b"PGDMP";
/// `archCustom` of PostgreSQL's `ArchiveFormat`.
const CUSTOM_FORMAT: u8 = 1;
/// Versions and database names are far shorter; the rest of a longer one isn't kept.
const LONGEST_NAME: usize = 1024;

/// The form of a dump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `pg_dump --format=custom`.
    #[default]
    Custom,
    /// `pg_dump --format=tar`.
    Tar,
    /// A script of `pg_dump`: plain SQL.
    Plain,
    /// A script of `pg_dumpall`, of a whole server.
    Cluster,
}

/// What an archive's header says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form that it was found in.
    #[serde(default)]
    pub format: Format,
    /// Version of the archive format.
    pub version: FormatVersion,
    /// Bytes of an integer, without its sign.
    pub int_size: u8,
    /// Bytes of a file offset, without its flag.
    pub offset_size: u8,
    /// How the data blocks are compressed inside the archive.
    pub compression: InnerCompression,
    /// When pg_dump started, in the local time of its machine, which the archive doesn't tell: `2026-11-22 19:37:33`.
    pub created: String,
    /// The database that was dumped. Bytes that aren't UTF-8 show as U+FFFD.
    pub database: String,
    /// The server's version, as it tells it: `15.14 (Debian 15.14-0+deb12u1)`.
    pub server_version: String,
    /// pg_dump's version, as it tells it.
    pub pg_dump_version: String,
}

/// Version of the archive format; 1.12 to 1.16 are PostgreSQL 9.0 to 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FormatVersion {
    /// 1 so far.
    pub major: u8,
    /// 12 to 16.
    pub minor: u8,
    /// 0 so far.
    pub revision: u8,
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}-{}", self.major, self.minor, self.revision)
    }
}

/// How the data blocks are compressed inside the archive (`pg_dump --compress`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InnerCompression {
    /// Not at all.
    None,
    /// As zlib streams, which pg_dump calls gzip.
    Zlib,
    /// As LZ4 frames.
    Lz4,
    /// As zstd frames.
    Zstd,
}

/// Reads a header.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HeaderReader {
    field: Field,
    values: Values,
    /// The first bytes: all of the magic, or enough to tell what else this is.
    head: Vec<u8>,
    created: Vec<i64>,
    header: Header,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Field {
    Magic,
    Major,
    Minor,
    Revision,
    IntSize,
    OffsetSize,
    Format,
    Compression,
    Created,
    Database,
    ServerVersion,
    PgDumpVersion,
    End,
}

impl HeaderReader {
    pub(super) fn new() -> Self {
        let header = Header {
            format: Format::Custom,
            version: FormatVersion { major: 0, minor: 0, revision: 0 },
            int_size: 0,
            offset_size: 0,
            compression: InnerCompression::None,
            created: String::new(),
            database: String::new(),
            server_version: String::new(),
            pg_dump_version: String::new(),
        };
        Self { field: Field::Magic, values: Values::default(), head: Vec::new(), created: Vec::new(), header }
    }

    /// Reads on to the header's end.
    pub(super) fn read(&mut self, input: &mut Input<'_>) -> Result<Header, Stop> {
        while !matches!(self.field, Field::End) {
            self.field = self.read_field(input)?;
        }
        Ok(self.header.clone())
    }

    fn read_field(&mut self, input: &mut Input<'_>) -> Result<Field, Stop> {
        let header = &mut self.header;
        Ok(match self.field {
            Field::Magic => {
                self.read_magic(input)?;
                Field::Major
            }
            Field::Major => {
                header.version.major = input.byte()?;
                Field::Minor
            }
            Field::Minor => {
                header.version.minor = input.byte()?;
                known_version(header.version)?;
                Field::Revision
            }
            Field::Revision => {
                header.version.revision = input.byte()?;
                Field::IntSize
            }
            Field::IntSize => {
                header.int_size = number_size(input.byte()?)?;
                Field::OffsetSize
            }
            Field::OffsetSize => {
                header.offset_size = number_size(input.byte()?)?;
                self.values = Values::sized(header.int_size, header.offset_size);
                Field::Format
            }
            Field::Format if input.byte()? == CUSTOM_FORMAT => Field::Compression,
            Field::Format => return Err("it belongs to a tar or directory dump".into()),
            Field::Compression => {
                header.compression = read_compression(header.version.minor, &mut self.values, input)?;
                Field::Created
            }
            Field::Created => {
                self.read_created(input)?;
                Field::Database
            }
            Field::Database => {
                header.database = self.values.text(LONGEST_NAME, input)?.lossy();
                Field::ServerVersion
            }
            Field::ServerVersion => {
                header.server_version = self.values.text(LONGEST_NAME, input)?.lossy();
                Field::PgDumpVersion
            }
            Field::PgDumpVersion => {
                header.pg_dump_version = self.values.text(LONGEST_NAME, input)?.lossy();
                Field::End
            }
            Field::End => Field::End,
        })
    }

    /// When the magic is another, the head is collected until it tells what this is instead.
    fn read_magic(&mut self, input: &mut Input<'_>) -> Result<(), Stop> {
        while self.head != MAGIC {
            if self.head.len() == SNIFF_LEN {
                return Err(Stop::Found(Damage::of_other(sniff(&self.head))));
            }
            self.head.push(input.byte()?);
        }
        Ok(())
    }

    /// What has been read so far, where it is no archive's beginning.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The damage when the dump ends within its header.
    pub(super) fn cut_off(&self, offset: u64) -> Damage {
        if !self.head.is_empty() && (self.head.starts_with(MAGIC) || MAGIC.starts_with(&self.head)) {
            return Damage::Truncated { offset, within: "the header".into() };
        }
        Damage::of_other(sniff(&self.head))
    }

    /// A broken-down time as C's `struct tm` has it: seconds first, months from 0, years from 1900, then whether it is
    /// daylight saving time.
    fn read_created(&mut self, input: &mut Input<'_>) -> Result<(), Stop> {
        while self.created.len() < 7 {
            let part = self.values.int(input)?;
            self.created.push(part);
        }
        if let [second, minute, hour, day, month, year, _] = self.created.as_slice() {
            let (year, month) = (year.saturating_add(1900), month.saturating_add(1));
            self.header.created = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
        }
        Ok(())
    }
}

fn known_version(FormatVersion { major, minor, .. }: FormatVersion) -> Result<(), Stop> {
    match (major, minor) {
        (1, 12..=16) => Ok(()),
        _ => Err(Stop::Found(Damage::UnsupportedVersion { major, minor })),
    }
}

/// pg_dump writes 4 and 8; any size that a 64-bit number can hold is as good.
fn number_size(size: u8) -> Result<u8, Stop> {
    match size {
        1..=8 => Ok(size),
        _ => Err(format!("it has numbers of {size} bytes").into()),
    }
}

/// A level before 1.15, where anything but 0 is zlib; the algorithm's number since.
pub(super) fn read_compression(
    minor_version: u8,
    values: &mut Values,
    input: &mut Input<'_>,
) -> Result<InnerCompression, Stop> {
    if minor_version < 15 {
        return match values.int(input)? {
            0 => Ok(InnerCompression::None),
            -1 | 1..=9 => Ok(InnerCompression::Zlib),
            level => Err(format!("its compression level is {level}").into()),
        };
    }
    match input.byte()? {
        0 => Ok(InnerCompression::None),
        1 => Ok(InnerCompression::Zlib),
        2 => Ok(InnerCompression::Lz4),
        3 => Ok(InnerCompression::Zstd),
        number => Err(format!("it names an unknown compression ({number})").into()),
    }
}
