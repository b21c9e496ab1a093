//! What an archive brings, and how its entries and the live database's objects find each other.

use std::collections::HashMap;

use ::archive::Entry;
use postgres::database::objects::Object;

use crate::commands::restore::head::Head;

/// Kinds whose objects lie in a schema, each with those that can't have the same name as one of them.
const IN_A_SCHEMA: [(&str, &str); 19] = [
    ("TABLE", "relation"),
    ("VIEW", "relation"),
    ("MATERIALIZED VIEW", "relation"),
    ("SEQUENCE", "relation"),
    ("FOREIGN TABLE", "relation"),
    ("TYPE", "type"),
    ("DOMAIN", "type"),
    ("SHELL TYPE", "type"),
    ("FUNCTION", "routine"),
    ("PROCEDURE", "routine"),
    ("AGGREGATE", "routine"),
    ("OPERATOR", "operator"),
    ("OPERATOR CLASS", "operator class"),
    ("OPERATOR FAMILY", "operator family"),
    ("COLLATION", "collation"),
    ("CONVERSION", "conversion"),
    ("TEXT SEARCH CONFIGURATION", "configuration"),
    ("TEXT SEARCH DICTIONARY", "dictionary"),
    ("TEXT SEARCH PARSER", "parser"),
];
/// Kinds whose objects lie in none.
const IN_NONE: [&str; 11] = [
    "SCHEMA",
    "EXTENSION",
    "ACCESS METHOD",
    "CAST",
    "EVENT TRIGGER",
    "FOREIGN DATA WRAPPER",
    "SERVER",
    "USER MAPPING",
    "PROCEDURAL LANGUAGE",
    "TRANSFORM",
    "PUBLICATION",
];

/// Those of one key can't be in a database at the same time, but for operators and their classes.
type Key<'a> = (&'a str, &'a str, &'a str);

/// The entries that make objects, by what they are called.
pub(super) struct Archived<'a>(HashMap<Key<'a>, Vec<&'a Entry>>);

impl<'a> Archived<'a> {
    pub(super) fn of(head: &'a Head) -> Self {
        let mut entries: HashMap<Key<'a>, Vec<&'a Entry>> = HashMap::new();
        for entry in &head.contents {
            if let Some(key) = key(&entry.kind, &entry.schema, &entry.name) {
                entries.entry(key).or_default().push(entry);
            }
        }
        Self(entries)
    }

    /// The archive brings an object of this name.
    pub(super) fn has(&self, object: &Object) -> bool {
        !self.entries(object).is_empty()
    }

    /// Those that bring an object of this name.
    pub(super) fn entries<'k>(&'k self, object: &'k Object) -> &'k [&'a Entry] {
        let entries: &HashMap<Key<'k>, Vec<&'a Entry>> = &self.0;
        let key = key(&object.kind, &object.schema, &object.name);
        key.and_then(|key| entries.get(&key)).map_or(&[], Vec::as_slice)
    }
}

fn key<'k>(kind: &'k str, schema: &'k str, name: &'k str) -> Option<Key<'k>> {
    if IN_NONE.contains(&kind) {
        return Some((kind, "", name));
    }
    if kind == "TEXT SEARCH TEMPLATE" {
        return Some((kind, schema, name));
    }
    let (_, family) = IN_A_SCHEMA.iter().find(|(of, _)| *of == kind)?;
    Some((family, schema, name))
}

/// Whether what an entry such as `COMMENT` is about, `FUNCTION f(integer)`, lies in a schema.
pub(super) fn lies_in_a_schema(subject: &str) -> bool {
    !IN_NONE.iter().any(|kind| subject.strip_prefix(kind).is_some_and(|rest| rest.starts_with(' ')))
}

/// How entries that are about an object, such as `COMMENT` and `ACL`, call it.
pub(super) fn subjects(object: &Object) -> impl Iterator<Item = String> {
    let kinds: &[&str] = match object.kind.as_str() {
        "CAST" | "USER MAPPING" | "TRANSFORM" => &[""],
        "DOMAIN" => &["DOMAIN ", "TYPE "],
        "SERVER" => &["SERVER ", "FOREIGN SERVER "],
        "PROCEDURAL LANGUAGE" => &["LANGUAGE ", "PROCEDURAL LANGUAGE "],
        _ => &[],
    };
    let plain = kinds.is_empty().then(|| format!("{} {}", object.kind, object.name));
    kinds.iter().map(|kind| format!("{kind}{}", object.name)).chain(plain)
}

/// What such an entry is about, by its tag: classes of operators have their access method behind it.
pub(super) fn subject(tag: &str) -> &str {
    if tag.starts_with("OPERATOR ") { tag.split(" USING ").next().unwrap_or(tag) } else { tag }
}

/// The numbers of the large objects that the archive brings.
pub(super) fn large_objects(head: &Head) -> Vec<u32> {
    let single = head.large_objects.iter().filter_map(|entry| entry.oid);
    let of_groups = head.entries("BLOB METADATA").filter_map(|entry| entry.definition.as_deref());
    single.chain(of_groups.flat_map(str::split_whitespace).filter_map(|number| number.parse().ok())).collect()
}

/// `pg_default_acl.defaclobjtype` of an entry of default privileges, by its tag.
pub(super) fn default_privileges(tag: &str) -> Option<char> {
    Some(match tag.strip_prefix("DEFAULT PRIVILEGES FOR ")? {
        "TABLES" => 'r',
        "SEQUENCES" => 'S',
        "FUNCTIONS" => 'f',
        "TYPES" => 'T',
        "SCHEMAS" => 'n',
        "LARGE OBJECTS" => 'L',
        _ => return None,
    })
}
