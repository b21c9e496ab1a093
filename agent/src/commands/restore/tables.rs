//! `--table`: the rows of some tables alone, into another database.
//!
//! All definitions are restored, because a table needs its types, functions and extensions; foreign keys aren't, because they
//! point to tables without rows; nor are large objects.

use std::collections::BTreeSet;
use std::io::Write as _;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head::Head;

/// Makes sure that the archive has every one of `tables`.
///
/// # Errors
/// Exit 5 when it hasn't.
pub(crate) fn require(head: &Head, tables: &[String]) -> Result<(), Failure> {
    for table in tables {
        let is_it = |entry: &::archive::Entry| {
            ["TABLE", "TABLE DATA"].contains(&entry.kind.as_str()) && is_named(table, &entry.schema, &entry.name)
        };
        if !head.contents.iter().any(is_it) {
            return Err(Failure::new(Exit::NotFound, format!("the backup has no table {table}"))
                .hint("lastgood show lists its tables; names are written as they are, without quotes"));
        }
    }
    Ok(())
}

/// The entries to restore, without those `left_out`, as a file for `pg_restore --use-list`, gone when dropped.
///
/// # Errors
/// Exit 1 when it can't be written.
pub(crate) fn list(
    head: &Head,
    tables: &[String],
    left_out: &BTreeSet<i32>,
) -> Result<tempfile::NamedTempFile, Failure> {
    let wanted = |entry: &&::archive::Entry| match entry.kind.as_str() {
        _ if left_out.contains(&entry.dump_id) => false,
        _ if tables.is_empty() => true,
        "TABLE DATA" => is_chosen(tables, &entry.schema, &entry.name),
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

/// Whether one of `tables` names this one. None given: all are meant.
pub(crate) fn is_chosen(tables: &[String], schema: &str, name: &str) -> bool {
    tables.is_empty() || tables.iter().any(|table| is_named(table, schema, name))
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
        assert!(is_chosen(&[], "public", "users"));
    }
}
