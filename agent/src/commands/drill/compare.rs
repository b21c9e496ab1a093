//! The copy beside its original: rows, large objects, and every definition.

use std::collections::BTreeSet;

use ::archive::{Described, Header, LargeObjectCensus, Pair, Rows, Table, compare_rows, differences, shown};
use catalog::words;
use postgres::Version;

use crate::answers::failure::Failure;
use crate::commands::drill::adjustment::Adjustment;
use crate::commands::drill::both::Both;
use crate::commands::drill::columns;
use crate::commands::drill::database as of_database;
use crate::commands::drill::dump::Dumped;
use crate::commands::drill::finding::Finding;
use crate::commands::drill::original;
use crate::commands::drill::partitions::Partitions;
use crate::commands::drill::rewritten;
use crate::commands::drill::uncompared;
use crate::commands::restore::job::Job;
use crate::commands::restore::watch::View;
use crate::settings::DatabaseSettings;

/// How many names a sentence spells out.
const NAMED: usize = 5;

/// What was restored.
pub(super) struct Original<'a> {
    pub(super) tables: &'a [Table],
    pub(super) large_objects: &'a LargeObjectCensus,
    pub(super) view: &'a View,
}

/// Compares everything.
///
/// # Errors
/// When the archive can't be read again.
pub(super) fn compare(
    job: &Job,
    database: &DatabaseSettings,
    original: &Original<'_>,
    dumped: Dumped,
) -> Result<Finding, Failure> {
    let mut finding = Finding::default();
    let partitions = Partitions::of(&job.facts.head);
    let rows = compare_rows(original.tables, &dumped.tables, |table| partitions.hashed_below(table));
    finding.uncompared = uncompared::of(job, &rows);
    large_objects(job, original.large_objects, &dumped, &mut finding);
    let pairs = texts(job, original.view, dumped.compared.pairs)?;
    let (pairs, about) = Adjustment::of(job).without_owners_privileges(pairs);
    if !about.is_empty() {
        finding.uncompared.push(format!(
            "privileges of owners, which could not be given what was theirs: {}",
            words::first_of(&about, NAMED, ", ")
        ));
    }
    finding.compared.definitions = dumped.compared.definitions;
    finding.compared.sequences = dumped.compared.sequences;
    of_database::compare(&job.facts, &dumped.compared.database, &mut finding);
    let (reordered, pairs): (Vec<Both>, Vec<Both>) = pairs.into_iter().partition(Both::is_reordered);
    remark(&mut finding, "columns in their parents' order, as a restore gives them", &names(&reordered));
    finding.differences.extend(columns::of_their_types(&job.facts.head, &reordered));
    let unnamed = columns::unnamed(&job.facts.head, original.tables);
    if !unnamed.is_empty() {
        finding.uncompared.push(format!(
            "which column a value belongs to, in child tables that were dumped as INSERTs (BACKUP_PG_DUMP_OPTIONS=--column-inserts names \
             them): {}",
            words::first_of(&unnamed, NAMED, ", ")
        ));
    }
    match other_version(&job.facts.head.header, &dumped.header) {
        None => {
            let others = rewritten::forgive(job, database, pairs, &mut finding)?;
            finding.differences.extend(others.iter().flat_map(both));
        }
        Some(versions) => of_other_versions(&pairs, &versions, &mut finding),
    }
    add_rows(rows, &mut finding);
    Ok(finding)
}

fn names(all: &[Both]) -> Vec<String> {
    all.iter().filter_map(Both::shown).collect()
}

fn remark(finding: &mut Finding, said: &str, names: &[String]) {
    if !names.is_empty() {
        finding.remarks.push(format!("{said}: {}", words::first_of(names, NAMED, ", ")));
    }
}

/// The entries without an equal, with their texts. Rows that one side lacks are the census's to judge.
fn texts(job: &Job, view: &View, pairs: Vec<Pair>) -> Result<Vec<Both>, Failure> {
    let wanted: BTreeSet<i32> = pairs.iter().filter_map(|pair| pair.original).collect();
    let mut originals = original::entries(&job.archive, view, &wanted)?;
    let of_rows = |both: &Both| {
        let entry = both.original.as_ref().xor(both.copy.as_ref());
        entry.is_some_and(|entry| entry.kind == "TABLE DATA")
    };
    let both = pairs
        .into_iter()
        .map(|pair| Both { original: pair.original.and_then(|id| originals.remove(&id)), copy: pair.copy });
    Ok(both.filter(|both| !of_rows(both)).collect())
}

/// In which respects, a sentence each.
fn both(both: &Both) -> Vec<String> {
    match (&both.original, &both.copy) {
        (Some(original), Some(copy)) => differences(original, copy),
        // Privileges are what they say: none is one that says nothing. A restore may have left out all of an entry's.
        (Some(entry), None) | (None, Some(entry)) if is_of_privileges(entry) && is_blank(entry) => Vec::new(),
        (Some(entry), None) if is_of_privileges(entry) => differences(entry, &silent(entry)),
        (None, Some(entry)) if is_of_privileges(entry) => differences(&silent(entry), entry),
        (Some(original), None) => vec![format!("{} is missing", shown(original))],
        (None, Some(copy)) => vec![format!("{} is new", shown(copy))],
        (None, None) => Vec::new(),
    }
}

fn is_of_privileges(entry: &Described) -> bool {
    ["ACL", "DEFAULT ACL"].contains(&entry.kind.as_str())
}

fn is_blank(entry: &Described) -> bool {
    entry.definition.iter().all(u8::is_ascii_whitespace) && !entry.is_cut
}

fn silent(entry: &Described) -> Described {
    Described { definition: Vec::new(), ..entry.clone() }
}

/// Another major writes definitions in another way, and has others: what differs then may be that.
fn of_other_versions(pairs: &[Both], versions: &str, finding: &mut Finding) {
    let (values, others): (Vec<&Both>, Vec<&Both>) =
        pairs.iter().partition(|both| both.original.as_ref().is_some_and(|entry| entry.kind == "SEQUENCE SET"));
    finding.differences.extend(values.into_iter().flat_map(both));
    let names: Vec<String> = others.into_iter().filter_map(Both::shown).collect();
    if !names.is_empty() {
        finding.uncompared.push(format!(
            "{} that {versions} says in another way: {}",
            words::count(names.len() as u64, "definition"),
            words::first_of(&names, NAMED, ", ")
        ));
    }
}

fn other_version(original: &Header, copy: &Header) -> Option<String> {
    let majors = |header: &Header| {
        [&header.server_version, &header.pg_dump_version].map(|text| Version::parse(text).map(Version::major_name))
    };
    let ([server, pg_dump], [other_server, other_pg_dump]) = (majors(original), majors(copy));
    let name = |version: Option<String>| version.unwrap_or_else(|| "an unknown version".to_owned());
    if server != other_server {
        return Some(format!("PostgreSQL {}, after {},", name(other_server), name(server)));
    }
    (pg_dump != other_pg_dump).then(|| format!("pg_dump {}, after {},", name(other_pg_dump), name(pg_dump)))
}

fn large_objects(job: &Job, original: &LargeObjectCensus, dumped: &Dumped, finding: &mut Finding) {
    let copy = &dumped.census.large_objects;
    if original.count != copy.count {
        finding.differences.push(format!("large objects: {} instead of {}", copy.count, original.count));
    } else if original != copy {
        finding.differences.push(format!("large objects: the content of the {} is not the same", original.count));
    } else {
        finding.compared.large_objects = original.count;
        finding.compared.bytes = original.bytes;
    }
    let differing: Vec<&u32> = dumped.compared.large_objects.iter().collect();
    if differing.is_empty() || Adjustment::of(job).has_ownerless_large_objects {
        return;
    }
    let (count, named) =
        (words::count(differing.len() as u64, "large object"), words::first_of(&differing, NAMED, ", "));
    finding.differences.push(format!("owner, privileges, comment or label of {count} differ: {named}"));
}

fn add_rows(rows: Rows, finding: &mut Finding) {
    let compared = &mut finding.compared;
    (compared.tables, compared.rows) = (rows.tables, rows.rows);
    compared.bytes = compared.bytes.saturating_add(rows.bytes);
    // Rows first: they are what nobody can make again.
    finding.differences.splice(0..0, rows.differences);
    remark(finding, "the same rows, in another order", &rows.reordered);
    remark(finding, "the same rows, in other partitions by hash", &rows.moved);
}
