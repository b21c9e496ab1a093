//! Which objects of an archive belong to whom, once restored.

use std::collections::BTreeSet;

use ::archive::Entry;

use crate::commands::restore::head::Head;

/// Kinds that have an owner of their own: for those `pg_restore` says ALTER … OWNER. All else belongs to what it is part of.
const OWNED: [&str; 27] = [
    "AGGREGATE",
    "BLOB",
    "BLOB METADATA",
    "COLLATION",
    "CONVERSION",
    "DOMAIN",
    "EVENT TRIGGER",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "FUNCTION",
    "MATERIALIZED VIEW",
    "OPERATOR",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "PROCEDURAL LANGUAGE",
    "PROCEDURE",
    "PUBLICATION",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLE",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TYPE",
    "VIEW",
];

/// The entries that are restored and get an owner. The database itself isn't among them: it is made by other means.
pub(crate) fn owned(head: &Head) -> impl Iterator<Item = &Entry> {
    head.contents.iter().filter(|entry| !entry.owner.is_empty() && OWNED.contains(&entry.kind.as_str()))
}

/// The roles that they belong to.
pub(crate) fn named(head: &Head) -> BTreeSet<&str> {
    owned(head).map(|entry| entry.owner.as_str()).collect()
}
