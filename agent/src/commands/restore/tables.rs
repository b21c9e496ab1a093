//! `--table`: the rows of some tables alone, into another database.
//!
//! All definitions are restored, because a table needs its types, functions and extensions; foreign keys aren't, because they
//! point to tables without rows; nor are large objects.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use ::archive::Entry;
use postgres::words::inheritance;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;

/// The tables whose rows are restored: those that were named, and what holds the rows of those.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// With their schemas; `None`: all.
    tables: Option<BTreeSet<Name>>,
    /// Partitions and children of those that were named, as a person writes them.
    belonging: Vec<String>,
}

/// A schema, and a name in it.
type Name = (String, String);

impl Chosen {
    /// What `tables`, each `NAME` or `SCHEMA.NAME`, choose. None given: all are meant.
    ///
    /// # Errors
    /// Exit 5 when one of them names no table, or one that the archive has no rows of.
    pub(crate) fn of(head: &Head, tables: &[String]) -> Result<Self, Failure> {
        if tables.is_empty() {
            return Ok(Self::default());
        }
        let children = children(head);
        let (mut chosen, mut named) = (BTreeSet::new(), BTreeSet::new());
        for table in tables {
            let roots: BTreeSet<Name> = tables_named(head, table).collect();
            if roots.is_empty() {
                return Err(Failure::new(Exit::NotFound, format!("the backup has no table {table}"))
                    .hint("lastgood show lists its tables; names are written as they are, without quotes"));
            }
            let family = family(&roots, &children);
            if !head.entries("TABLE DATA").any(|entry| family.contains(&name_of(entry))) {
                return Err(Failure::new(Exit::NotFound, format!("the backup has no rows of table {table}")).hint(
                    "its rows were left out (BACKUP_PG_DUMP_OPTIONS), or it is a partitioned table without partitions",
                ));
            }
            named.extend(roots);
            chosen.extend(family);
        }
        let belonging = chosen.difference(&named).map(|(schema, name)| format!("{schema}.{name}")).collect();
        Ok(Self { tables: Some(chosen), belonging })
    }

    /// Every table is meant.
    pub(crate) fn is_all(&self) -> bool {
        self.tables.is_none()
    }

    /// Whether the rows of this table are restored.
    pub(crate) fn has(&self, schema: &str, name: &str) -> bool {
        self.tables.as_ref().is_none_or(|tables| tables.contains(&(schema.to_owned(), name.to_owned())))
    }

    /// Partitions and children that come along, each with its schema.
    pub(crate) fn belonging(&self) -> &[String] {
        &self.belonging
    }
}

fn name_of(entry: &Entry) -> Name {
    (entry.schema.clone(), entry.name.clone())
}

fn tables_named<'a>(head: &'a Head, table: &'a str) -> impl Iterator<Item = Name> + 'a {
    let is_it = move |entry: &&Entry| {
        ["TABLE", "TABLE DATA"].contains(&entry.kind.as_str()) && is_named(table, &entry.schema, &entry.name)
    };
    head.contents.iter().filter(is_it).map(name_of)
}

/// The tables below each one: its partitions, and those that inherit from it.
fn children(head: &Head) -> BTreeMap<Name, Vec<Name>> {
    let mut children: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for entry in &head.contents {
        let Some(definition) = entry.definition.as_deref().filter(|_| entry.kind != "SCHEMA") else { continue };
        for parent in inheritance::parents(definition) {
            children.entry(parent).or_default().push(name_of(entry));
        }
    }
    children
}

/// Tells of a schema's table which tables have its rows: itself and those below it, each with its schema.
pub(crate) fn families(head: &Head) -> impl Fn(&str, &str) -> BTreeSet<(String, String)> {
    let children = children(head);
    move |schema, name| family(&[(schema.to_owned(), name.to_owned())].into(), &children)
}

fn family(roots: &BTreeSet<Name>, children: &BTreeMap<Name, Vec<Name>>) -> BTreeSet<Name> {
    let mut family = roots.clone();
    let mut rest: Vec<Name> = roots.iter().cloned().collect();
    while let Some(table) = rest.pop() {
        let new = children.get(&table).into_iter().flatten().filter(|child| family.insert((*child).clone()));
        rest.extend(new.cloned());
    }
    family
}

/// The entries to restore, without those `left_out`, as a file for `pg_restore --use-list`, gone when dropped.
///
/// # Errors
/// Exit 1 when it can't be written.
pub(crate) fn list(head: &Head, chosen: &Chosen, left_out: &BTreeSet<i32>) -> Result<tempfile::NamedTempFile, Failure> {
    let wanted = |entry: &&Entry| match entry.kind.as_str() {
        _ if left_out.contains(&entry.dump_id) => false,
        _ if chosen.is_all() => true,
        "TABLE DATA" => chosen.has(&entry.schema, &entry.name),
        "FK CONSTRAINT" => false,
        kind => !entry.has_data() && !kind.starts_with("BLOB"),
    };
    let mut ids = Vec::new();
    let mut large_objects = head.large_objects.iter().map(|entry| entry.dump_id);
    for entry in head.contents.iter().filter(wanted) {
        if entry.kind == "BLOBS" {
            // They are made before they are filled.
            ids.extend(large_objects.by_ref());
        }
        ids.push(entry.dump_id);
    }
    list_of(ids.into_iter())
}

/// These entries, in this order, as a file for `pg_restore --use-list`, gone when dropped.
///
/// # Errors
/// Exit 1 when it can't be written.
pub(crate) fn list_of(ids: impl Iterator<Item = i32>) -> Result<tempfile::NamedTempFile, Failure> {
    let lines: String = ids.map(|id| format!("{id};\n")).collect();
    let written = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(lines.as_bytes()).map(|()| file));
    written.map_err(|e| Failure::new(Exit::Failed, format!("the list for pg_restore can't be written: {e}")))
}

/// `NAME` in any schema, or `SCHEMA.NAME`.
fn is_named(table: &str, schema: &str, name: &str) -> bool {
    table == name || table.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.')) == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_with_or_without_its_schema() {
        assert!(is_named("users", "public", "users") && is_named("public.users", "public", "users"));
        assert!(is_named("a.b.c", "a.b", "c") && is_named("odd.name", "public", "odd.name"));
        assert!(!is_named("other.users", "public", "users") && !is_named("publicusers", "public", "users"));
        assert!(Chosen::default().has("public", "users"));
    }
}
