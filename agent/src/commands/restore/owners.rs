//! Which objects of an archive belong to whom, once restored.

use std::collections::{BTreeMap, BTreeSet};

use ::archive::Entry;

use crate::commands::restore::head::Head;
use crate::commands::restore::server::Target;

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

/// To whom the restored database will belong: to the live one's owner, else to the archive's as far as the restoring role may
/// give it away. `roles`: as in [`Facts`](crate::commands::restore::facts::Facts).
pub(crate) fn of_database(head: &Head, target: &Target, roles: &BTreeMap<String, bool>) -> String {
    if let Some(living) = &target.living {
        return living.owner.clone();
    }
    let may_give = |owner: &&String| roles.get(*owner).is_some_and(|is_ours| *is_ours || target.role.superuser);
    head.database_owner().filter(may_give).unwrap_or(&target.role.name).clone()
}

/// The roles that they belong to.
pub(crate) fn named(head: &Head) -> BTreeSet<&str> {
    let single = head.large_objects.iter().filter(|entry| entry.oid.is_some()).map(|entry| &*entry.about);
    owned(head).map(|entry| entry.owner.as_str()).chain(single).filter(|owner| !owner.is_empty()).collect()
}
