//! The heads of both archives: every definition, sequence and large object's owner, entry by entry as a drill compares them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use ::archive::rows::CopyStatement;
use ::archive::{Compared, Comparison, Described, Header, Outline, Outliner, Pair, Recoder, Walk};
use catalog::words;
use postgres::Version;
use postgres::words::inheritance;

use crate::answers::failure::Failure;
use crate::commands::diff::definitions::{self, Both, Definition, Sequence};
use crate::commands::diff::failure::{self, KEY};
use crate::commands::diff::range::Beginning;
use crate::commands::diff::side::Side;
use crate::commands::restore::reading::{self, ReadingError, filled};

/// How many large objects a sentence names.
const NAMED: usize = 5;
/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// A schema, and a name in it.
pub(super) type Name = (String, String);

/// What two heads came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Heads {
    pub(super) definitions: Vec<Definition>,
    pub(super) sequences: Vec<Sequence>,
    /// How many definitions and sequences are equal; `None` where none were compared.
    pub(super) equal: Option<u64>,
    /// Large objects whose owner, privileges, comment or label differ, in words.
    pub(super) large_objects: Option<String>,
    /// Tables whose rows have the same columns in another order: values that look the same may be in other columns.
    pub(super) reordered: Vec<Name>,
    /// The tables below each one: its partitions, and those that inherit from it.
    pub(super) children: BTreeMap<Name, BTreeSet<Name>>,
    /// What could not be compared, and why, a sentence each.
    pub(super) uncompared: Vec<String>,
    /// What else is to be known, a sentence each.
    pub(super) notes: Vec<String>,
}

/// Compares the heads of both archives. For a thread that may block, inside the runtime.
///
/// # Errors
/// When one can't be read. That one is encrypted for others, or not at hand, is only said.
pub(super) fn compare(first: &Side, second: &Side) -> Result<Heads, Failure> {
    let mut heads = Heads::default();
    for side in [first, second].into_iter().filter(|side| side.census.is_none()) {
        heads
            .uncompared
            .push(format!("tables, because {} has no manifest, and its rows can't be counted", side.name()));
    }
    let mut outline = Outline::default();
    let Some(header) = read(first, &mut heads, &mut |entry| outline.add(entry))? else { return Ok(heads) };
    let mut comparison = Comparison::new(outline);
    let Some(other) = read(second, &mut heads, &mut |entry| comparison.add(entry))? else { return Ok(heads) };
    heads.notes.extend(other_version(&header, &other));
    let Compared { sequences, definitions, pairs, large_objects, large_objects_texts, database } = comparison.finish();
    heads.equal = Some(sequences + definitions);
    let pairs = texts(first, pairs, &mut heads)?;
    heads.add(pairs);
    if first.database() == second.database() {
        heads.add(of_database(database));
    } else {
        let [first, second] = [first, second].map(Side::database);
        heads.notes.push(format!("two databases: {first} and {second}; their own settings are not compared"));
    }
    let large_objects: BTreeSet<u32> = large_objects.into_iter().chain(large_objects_texts).collect();
    let large_objects = Vec::from_iter(large_objects);
    heads.large_objects = (!large_objects.is_empty()).then(|| {
        let named = words::first_of(&large_objects, NAMED, ", ");
        format!("owner, privileges, comment or label of {named}")
    });
    Ok(heads)
}

/// Reads the head of an archive and hands on its entries; nothing, where it can't be read and that is no failure.
fn read(side: &Side, heads: &mut Heads, take: &mut dyn FnMut(Described)) -> Result<Option<Header>, Failure> {
    let Some((object, archive)) = &side.archive else {
        heads.uncompared.push(format!("definitions and sequences: {}", side.unreadable()));
        return Ok(None);
    };
    let opened = reading::open(Box::new(Beginning::of(&side.repository, object)), archive);
    let mut dump = match opened {
        Ok(dump) => dump,
        Err(ReadingError::Locked(_)) => {
            let name = side.name();
            heads.uncompared.push(format!(
                "definitions and sequences: {name} is encrypted, and no key that is set opens it; {KEY}"
            ));
            return Ok(None);
        }
        Err(error) => return Err(failure::reading(&archive.place, error)),
    };
    let unreadable = |error: ReadingError| failure::reading(&archive.place, error);
    let (mut outliner, mut walk, mut block) = (Outliner::default(), Walk::counting(), vec![0; BLOCK]);
    let (mut recoder, children) = (Recoder::default(), &mut heads.children);
    let mut take = |entry: Described| {
        let entry = recoder.recoded(entry);
        note_parents(&entry, children);
        take(entry);
    };
    while !outliner.is_done() {
        if let Some(signal) = archive.interrupt.seen() {
            return Err(unreadable(ReadingError::Interrupted(signal)));
        }
        let length = dump.read(&mut block).map_err(|e| unreadable(reading::reading(e)))?;
        let bytes = filled(&block, length).map_err(|e| unreadable(ReadingError::Read(e)))?;
        if bytes.is_empty() {
            let ended = walk.finish().err();
            return Err(unreadable(
                ended.map_or_else(
                    || ReadingError::Read(std::io::ErrorKind::UnexpectedEof.into()),
                    ReadingError::Damaged,
                ),
            ));
        }
        if walk.header().is_none() {
            walk.feed(bytes).map_err(|damage| unreadable(ReadingError::Damaged(damage)))?;
        }
        outliner.feed(bytes, &mut take).map_err(|damage| unreadable(ReadingError::Damaged(damage)))?;
    }
    Ok(walk.header().cloned())
}

fn note_parents(entry: &Described, children: &mut BTreeMap<Name, BTreeSet<Name>>) {
    if !["TABLE", "FOREIGN TABLE", "TABLE ATTACH"].contains(&entry.kind.as_str()) {
        return;
    }
    for parent in inheritance::parents(&String::from_utf8_lossy(&entry.definition)) {
        children.entry(parent).or_default().insert(name(entry));
    }
}

fn name(entry: &Described) -> Name {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&entry.schema), text(&entry.name))
}

/// Of which table both entries have the rows, with the same columns in another order.
fn reordered((first, second): &Both) -> Option<Name> {
    let (first, second) = (first.as_ref()?, second.as_ref()?);
    let columns = |entry: &Described| CopyStatement::parse(&entry.copy_statement).map(|copy| copy.columns);
    let (mut old, mut new) = (columns(first)?, columns(second)?);
    let is_other = old != new;
    old.sort_unstable();
    new.sort_unstable();
    (second.kind == "TABLE DATA" && is_other && old == new).then(|| name(second))
}

/// The entries without an equal, with the texts of the first's, whose head is read once more.
fn texts(first: &Side, pairs: Vec<Pair>, heads: &mut Heads) -> Result<Vec<Both>, Failure> {
    let wanted: BTreeSet<i32> = pairs.iter().filter_map(|pair| pair.original).collect();
    let mut originals: BTreeMap<i32, Described> = BTreeMap::new();
    if !wanted.is_empty() {
        let mut keep = |entry: Described| {
            if wanted.contains(&entry.dump_id) {
                originals.insert(entry.dump_id, entry);
            }
        };
        read(first, heads, &mut keep)?;
    }
    let both = |pair: Pair| (pair.original.and_then(|id| originals.remove(&id)), pair.copy);
    Ok(pairs.into_iter().map(both).collect())
}

/// The entries about the database itself that aren't the same.
fn of_database((first, second): (Vec<Described>, Vec<Described>)) -> Vec<Both> {
    let is_like = |a: &Described, b: &Described| (&a.kind, &a.name) == (&b.kind, &b.name);
    let is_same =
        |a: &Described, b: &Described| is_like(a, b) && (&a.definition, &a.owner) == (&b.definition, &b.owner);
    let mut differing = Vec::new();
    let (mut left, mut second) = (Vec::new(), second);
    for entry in first {
        match second.iter().position(|other| is_same(&entry, other)) {
            Some(at) => drop(second.swap_remove(at)),
            None => left.push(entry),
        }
    }
    for entry in left {
        let other = second.iter().position(|other| is_like(&entry, other)).map(|at| second.swap_remove(at));
        differing.push((Some(entry), other));
    }
    differing.extend(second.into_iter().map(|entry| (None, Some(entry))));
    differing
}

impl Heads {
    fn add(&mut self, pairs: Vec<Both>) {
        for both in pairs {
            self.reordered.extend(reordered(&both));
            match definitions::sequence(&both) {
                Some(sequence) => self.sequences.push(sequence),
                None => self.definitions.extend(definitions::definition(&both)),
            }
        }
        self.definitions.sort_by(|a, b| a.name.cmp(&b.name));
        self.sequences.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// Another major says the same in other words.
fn other_version(first: &Header, second: &Header) -> Option<String> {
    let major = |text: &str| Version::parse(text).map(Version::major_name);
    let versions = |header: &Header| (major(&header.server_version), major(&header.pg_dump_version));
    let (one, other) = (versions(first), versions(second));
    let name = |(server, _): &(Option<String>, Option<String>)| server.clone().unwrap_or_else(|| "unknown".to_owned());
    (one != other).then(|| {
        format!(
            "the first was dumped from PostgreSQL {} and the second from {}, or by other versions of pg_dump: what differs may be how they say the same",
            name(&one),
            name(&other)
        )
    })
}
