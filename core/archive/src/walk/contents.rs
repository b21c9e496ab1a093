//! The table of contents (`ReadToc` in pg_backup_archiver.c, `_ReadExtraToc` in pg_backup_custom.c): which entries there
//! are, and which of them promise a data block.
//!
//! Definitions, the bulk of it, are read over; what is kept is bounded by [`MOST_KEPT`].

mod outliner;
mod reader;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::outliner::{Described, Outliner};
pub use self::reader::columns;
pub(super) use self::reader::{ContentsReader, Fingerprint};
use super::portion::Kinds;
use super::values::Stop;
use crate::Damage;
use crate::census::{Called, Sha256Hex};

/// Kinds whose definition is kept: what a new database has to be created with.
const DEFINED_KINDS: [&str; 3] = ["DATABASE", "DATABASE PROPERTIES", "ENCODING"];
/// Memory that the kept part may take, in bytes: over a million entries.
const MOST_KEPT: usize = 256 << 20;

/// One entry of the table of contents. Bytes that aren't UTF-8 show as U+FFFD in its texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The entry's number in this archive.
    pub dump_id: i32,
    /// What it is: `TABLE`, `TABLE DATA`, `SEQUENCE SET` and so on, as `pg_restore --list` shows it.
    pub kind: String,
    /// Its schema; empty for what lies in none.
    pub schema: String,
    /// Its name, unquoted; functions have their argument types behind it.
    pub name: String,
    /// The role that owns it; empty for none.
    pub owner: String,
    /// Its SQL, for DATABASE, DATABASE PROPERTIES, ENCODING and the database's own ACL and COMMENT; unless the walk only counts,
    /// for tables and schemas as well, and for BLOB METADATA the large objects' numbers, one a line.
    pub definition: Option<String>,
    /// Where its owner is written, and its SQL. Known in a walk from the beginning.
    #[serde(skip)]
    pub places: Places,
    /// The tablespace that it is put into, unless that is the database's own; not known in a walk that only counts.
    #[serde(skip)]
    pub tablespace: Option<Box<InTablespace>>,
    /// It is of a table `WITH OIDS`, which version 12 forgot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_oids: bool,
    /// What it is called in the archive's own character set, where that isn't what `schema` and `name` say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Box<Called>>,
    pub(super) block: Option<Block>,
}

/// The tablespace of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InTablespace {
    /// Its name.
    pub name: String,
    /// Where that is in the dump.
    pub place: Place,
}

/// Where texts of an entry are in the dump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The role that owns it.
    pub owner: Place,
    /// Its SQL.
    pub definition: Place,
    /// The OID of what it is of, in digits.
    pub oid: Place,
    /// The statement that its rows follow, `COPY … FROM stdin;`; empty where they are of another form.
    pub copy: Place,
}

/// A text with its length before it, as the table of contents has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where its length begins, in bytes from the dump's beginning.
    pub at: u64,
    /// How many bytes length and text are together.
    pub length: u64,
}

/// An entry of one large object, of which there may be millions: all that a restore has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeObjectEntry {
    /// The entry's number in this archive.
    pub dump_id: i32,
    /// The large object that it makes; `None` for an entry that is about one, such as its comment.
    pub oid: Option<u32>,
    /// The role that owns the large object, or the SQL of an entry with its privileges, in which `0` stands for its number.
    /// Few differ, so that those which are the same share one.
    pub about: Arc<str>,
    /// Where that is in the dump.
    pub place: Place,
}

/// The data block that an entry promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) content: Content,
    /// Where it begins; `None` in a dump that went through a pipe.
    pub(super) offset: Option<u64>,
    /// What the walk found in it.
    pub(super) counted: Option<Counted>,
    /// Where it ends, once the walk has come so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<u64>,
    /// The names of its columns in the order of the rows' fields, where a walk that compares needs them.
    #[serde(skip)]
    pub(super) columns: Option<Vec<String>>,
}

/// What a data block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Content {
    /// COPY text.
    Rows,
    /// SQL: INSERTs, or whatever else pg_dump had no COPY for.
    Statements,
    LargeObjects,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    pub(super) rows: Option<u64>,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256Hex,
    /// Where the walk compares.
    #[serde(skip)]
    pub(super) any_order: Option<InAnyOrder>,
}

/// A table's rows, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InAnyOrder {
    /// How many there are, those of INSERT statements as well.
    pub rows: u64,
    /// The sum, modulo 2^256, of the SHA-256 of each row, read as big-endian numbers.
    pub sum: Sha256Hex,
    /// They are INSERT statements that don't name their columns.
    pub is_unnamed: bool,
}

impl Entry {
    /// Its schema and its name, as it is called.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        self.called.as_ref().map_or((&self.schema, &self.name), |called| (&called.schema, &called.name))
    }

    /// Whether the archive promises data for it.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.block.is_some()
    }

    /// Whether the data that it promises are rows as COPY writes them.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        self.block.as_ref().is_some_and(|block| block.content == Content::Rows)
    }

    /// Where its data block ends, in bytes from the dump's beginning; `None` before the walk has passed it. The next block,
    /// if there is one, begins there.
    #[must_use]
    pub fn data_end(&self) -> Option<u64> {
        self.block.as_ref()?.end
    }

    /// What the census, or the making of a new database, needs.
    fn is_essential(&self) -> bool {
        self.has_data() || DEFINED_KINDS.contains(&self.kind.as_str())
    }

    /// One of possibly millions of entries that say no more than a large object's number.
    fn is_one_large_object(&self) -> bool {
        match self.kind.as_str() {
            "BLOB" => true,
            "ACL" | "COMMENT" | "SECURITY LABEL" => self.name.starts_with("LARGE OBJECT "),
            _ => false,
        }
    }

    /// `last`: the one before, whose text this one may share.
    fn short(&self, last: Option<&LargeObjectEntry>) -> LargeObjectEntry {
        let oid = if self.kind == "BLOB" { self.name.parse().ok() } else { None };
        let (about, place) = match self.kind.as_str() {
            "ACL" => (without_numbers(self.definition.as_deref().unwrap_or_default()), self.places.definition),
            _ => (self.owner.clone(), self.places.owner),
        };
        let shared = last.map(|last| &last.about).filter(|shared| ***shared == *about);
        LargeObjectEntry { dump_id: self.dump_id, oid, about: shared.map_or_else(|| about.into(), Arc::clone), place }
    }

    fn memory(&self) -> usize {
        let called =
            self.called.as_ref().map_or(0, |called| size_of::<Called>() + called.schema.len() + called.name.len());
        let texts = [&self.kind, &self.schema, &self.name, &self.owner].map(String::len).iter().sum::<usize>() + called;
        size_of::<Self>() + texts + self.definition.as_ref().map_or(0, String::len)
    }
}

/// The same for every large object with the same privileges.
fn without_numbers(sql: &str) -> String {
    sql.split("LARGE OBJECT ")
        .map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()))
        .collect::<Vec<_>>()
        .join("LARGE OBJECT 0")
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.block {
            Some(Block { content: Content::LargeObjects, .. }) => write!(f, "large objects (entry {})", self.dump_id),
            _ if self.schema.is_empty() => write!(f, "{} {}", self.kind, self.name),
            _ => write!(f, "{} {}.{}", self.kind, self.schema, self.name),
        }
    }
}

/// What has been read of the table of contents, and how many of its data blocks have been seen. pg_dump writes them in the
/// order of their entries.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Entry>", into = "Vec<Entry>")]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    pub(super) large_objects: Vec<LargeObjectEntry>,
    /// Index of the first entry whose data hasn't been seen.
    awaited: usize,
    memory: usize,
    /// Entries that only a restore asks for aren't kept.
    pub(super) essential_only: bool,
    /// Rows are digested in any order as well.
    pub(super) compares: bool,
    /// Of all entries, kept or not.
    pub(super) kinds: Kinds,
    /// Where rows are compared: tables below others, whose columns a restore puts into their parents' order.
    pub(super) children: HashSet<(String, String)>,
}

impl From<Vec<Entry>> for Contents {
    fn from(entries: Vec<Entry>) -> Self {
        let memory = entries.iter().map(Entry::memory).sum();
        let mut contents = Self { entries, memory, essential_only: true, ..Self::default() };
        contents.await_next();
        contents
    }
}

impl From<Contents> for Vec<Entry> {
    fn from(contents: Contents) -> Self {
        contents.entries
    }
}

impl Contents {
    /// The entry whose data comes next.
    pub(super) fn awaited(&self) -> Option<&Entry> {
        self.entries.get(self.awaited)
    }

    /// Notes what was in the awaited entry's block and where it ended, and awaits the next.
    pub(super) fn complete(&mut self, counted: Counted, end: u64) {
        if let Some(block) = self.entries.get_mut(self.awaited).and_then(|entry| entry.block.as_mut()) {
            block.counted = Some(counted);
            block.end = Some(end);
        }
        self.await_next();
    }

    /// The entry with data that has this dump id, wherever it stands.
    pub(super) fn find(&self, dump_id: i64) -> Option<&Entry> {
        self.with_data().find(|entry| i64::from(entry.dump_id) == dump_id)
    }

    /// Entries that promise data.
    pub(super) fn with_data(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.has_data())
    }

    /// How many data blocks haven't been seen.
    pub(super) fn missing(&self) -> usize {
        self.entries.iter().skip(self.awaited).filter(|entry| entry.has_data()).count()
    }

    /// Without the entries that only a restore asks for.
    pub(super) fn essential(&self) -> Self {
        let entries = self.entries.iter().filter(|entry| entry.is_essential());
        Self::from(entries.cloned().collect::<Vec<_>>())
    }

    /// A table comes before its rows.
    fn note_child(&mut self, entry: &mut Entry) {
        let is_child = entry.definition.as_deref().is_some_and(|sql| sql.contains("\nINHERITS ("));
        if entry.kind == "TABLE" && is_child {
            self.children.insert((entry.schema.clone(), entry.name.clone()));
        } else if let Some(block) = &mut entry.block
            && !self.children.contains(&(entry.schema.clone(), entry.name.clone()))
        {
            block.columns = None;
        }
    }

    fn await_next(&mut self) {
        let seen = |entry: &&Entry| entry.block.as_ref().is_none_or(|block| block.counted.is_some());
        self.awaited += self.entries.iter().skip(self.awaited).take_while(seen).count();
    }

    fn push(&mut self, mut entry: Entry) -> Result<(), Stop> {
        self.kinds.note(&entry.kind);
        if self.compares {
            self.note_child(&mut entry);
        }
        let is_wanted =
            if self.essential_only { entry.is_essential() } else { !entry.is_one_large_object() || entry.has_data() };
        if is_wanted {
            self.memory += entry.memory();
        } else if !self.essential_only {
            self.memory += size_of::<LargeObjectEntry>();
        }
        if self.memory > MOST_KEPT {
            let reason = format!(
                "its table of contents is too long: listing it takes more than {} MiB of memory",
                MOST_KEPT >> 20
            );
            return Err(Stop::Found(Damage::BeyondLimits { offset: 0, reason }));
        }
        if is_wanted {
            self.entries.push(entry);
        } else if !self.essential_only {
            let short = entry.short(self.large_objects.last());
            self.large_objects.push(short);
        }
        Ok(())
    }
}
