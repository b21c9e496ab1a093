//! What is kept of a table of contents to compare it with another: of each entry its name, and a digest of all that it says. What depends
//! on what is left out: pg_dump writes it for the order of a restore, which has just worked, and a function's differs by its history.

use sha2::{Digest, Sha256};

use crate::Described;
use crate::census::Sha256Hex;

/// A table of contents, as far as it is compared.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    pub(super) items: Vec<Item>,
    /// Of large objects there may be millions, each with an entry of its own.
    pub(super) large_objects: Vec<LargeObject>,
    /// The entries about the database itself, whole: few, and with its name in them.
    pub(super) database: Vec<Described>,
}

/// Kinds that name as their owner that of what they are part of: it is compared there.
const PARTS: [&str; 21] = [
    "ACL",
    "BLOBS",
    "CHECK CONSTRAINT",
    "COMMENT",
    "CONSTRAINT",
    "DEFAULT",
    "FK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "MATERIALIZED VIEW DATA",
    "POLICY",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "ROW SECURITY",
    "RULE",
    "SECURITY LABEL",
    "SEQUENCE OWNED BY",
    "SEQUENCE SET",
    "TABLE ATTACH",
    "TABLE DATA",
    "TRIGGER",
];

/// The owner that an entry says by itself; of a part it is said where the whole is.
#[must_use]
pub fn owner(entry: &Described) -> &[u8] {
    if PARTS.contains(&entry.kind.as_str()) { &[] } else { &entry.owner }
}

/// An entry's kind, schema and name. Several entries may share one.
pub(super) type Key = (Box<str>, Box<[u8]>, Box<[u8]>);

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) dump_id: i32,
    pub(super) key: Key,
    pub(super) print: Sha256Hex,
}

/// What an archive says of one large object in one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LargeObject {
    pub(super) oid: u32,
    /// The kind of the entry.
    pub(super) about: About,
    /// The beginning of its digest.
    pub(super) print: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    Owner,
    Privileges,
    Comment,
    Label,
}

impl Outline {
    /// Adds the next entry.
    pub fn add(&mut self, entry: Described) {
        drop(self.sort(entry));
    }

    /// Adds the next entry, and gives it back where it is one of those whose digest is kept.
    pub(super) fn sort(&mut self, entry: Described) -> Option<Described> {
        if is_the_databases_own(&entry) {
            self.database.push(entry);
            return None;
        }
        if let Some(large_object) = LargeObject::of(&entry) {
            self.large_objects.push(large_object);
            return None;
        }
        self.items.push(Item::of(&entry));
        Some(entry)
    }
}

impl Item {
    pub(super) fn of(entry: &Described) -> Self {
        Self {
            dump_id: entry.dump_id,
            key: (entry.kind.as_str().into(), entry.schema.as_slice().into(), entry.name.as_slice().into()),
            print: Sha256Hex(print(entry).finalize().into()),
        }
    }
}

impl LargeObject {
    pub(super) fn of(entry: &Described) -> Option<Self> {
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
        let about = match entry.kind.as_str() {
            "BLOB" => return Some(Self { oid: number(&entry.name)?, about: About::Owner, print: short(entry) }),
            "ACL" => About::Privileges,
            "COMMENT" => About::Comment,
            "SECURITY LABEL" => About::Label,
            _ => return None,
        };
        let oid = number(entry.name.strip_prefix(b"LARGE OBJECT ")?)?;
        Some(Self { oid, about, print: short(entry) })
    }
}

/// It says what the database itself was, and not what was in it.
fn is_the_databases_own(entry: &Described) -> bool {
    match entry.kind.as_str() {
        "DATABASE" | "DATABASE PROPERTIES" => true,
        "ACL" | "COMMENT" | "SECURITY LABEL" => entry.name.starts_with(b"DATABASE "),
        _ => false,
    }
}

/// All that an entry says, but for numbers that are another archive's.
fn print(entry: &Described) -> Sha256 {
    let mut print = Sha256::new();
    let texts = [
        entry.kind.as_bytes(),
        &entry.schema,
        &entry.name,
        owner(entry),
        &entry.tablespace,
        &entry.access_method,
        &entry.definition,
        &entry.drop_statement,
        &entry.copy_statement,
        &[u8::from(entry.has_data)],
    ];
    texts.into_iter().for_each(|text| add(&mut print, text));
    print
}

fn short(entry: &Described) -> u64 {
    beginning(print(entry))
}

fn add(print: &mut Sha256, text: &[u8]) {
    print.update((text.len() as u64).to_be_bytes());
    print.update(text);
}

fn beginning(print: Sha256) -> u64 {
    print.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
