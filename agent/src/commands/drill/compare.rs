//! The copy beside its original: rows, large objects, and every definition.

use std::collections::BTreeSet;

use ::archive::{Described, Header, LargeObjectCensus, Pair, Rows, Table, compare_rows, differences, shown};
use catalog::words;
use postgres::Version;
use postgres::database::session::Session;

use crate::answers::failure::Failure;
use crate::commands::drill::adjustment::Adjustment;
use crate::commands::drill::both::Both;
use crate::commands::drill::columns::{self, Reliance};
use crate::commands::drill::database as of_database;
use crate::commands::drill::dump::Dumped;
use crate::commands::drill::finding::{Finding, naming};
use crate::commands::drill::original;
use crate::commands::drill::partitions::Partitions;
use crate::commands::drill::rewritten;
use crate::commands::drill::uncompared;
use crate::commands::restore::job::Job;
use crate::commands::restore::watch::View;
use crate::settings::DatabaseSettings;

/// How many objects are named whose privileges can't be compared as a whole.
const MOST_NAMED: usize = 100;

/// What was restored.
pub(crate) struct Original<'a> {
    pub(crate) tables: &'a [Table],
    pub(crate) large_objects: &'a LargeObjectCensus,
    pub(crate) view: &'a View,
}

/// Compares everything.
///
/// # Errors
/// When the archive can't be read again.
pub(crate) fn compare(
    job: &Job,
    database: &DatabaseSettings,
    original: &Original<'_>,
    dumped: Dumped,
) -> Result<Finding, Failure> {
    let mut finding = Finding::default();
    let partitions = Partitions::of(&job.facts.head);
    let rows = compare_rows(original.tables, &dumped.tables, |table| partitions.hashed_below(table));
    finding.uncompared = uncompared::of(job, &rows);
    let adjustment = Adjustment::of(job);
    large_objects(&adjustment, original.large_objects, &dumped, &mut finding);
    let pairs = texts(job, original.view, dumped.compared.pairs)?;
    let (pairs, about) = adjustment.without_owners_privileges(pairs);
    let more = about.len().saturating_sub(MOST_NAMED);
    finding.uncompared.extend(about.into_iter().take(MOST_NAMED));
    finding.uncompared.extend((more > 0).then(|| format!("privileges on {more} more objects that name their owners")));
    finding.compared.definitions = dumped.compared.definitions;
    finding.compared.sequences = dumped.compared.sequences;
    of_database::compare(&job.facts, &dumped.compared.database, &mut finding);
    let (reordered, pairs): (Vec<Both>, Vec<Both>) = pairs.into_iter().partition(Both::is_reordered);
    finding.remark("columns in their parents' order, as a restore gives them", &names(&reordered));
    relying(
        job,
        original.view,
        columns::tables(reordered.iter().chain(pairs.iter().filter(|both| rewritten::is_moved(both)))),
        &mut finding,
    )?;
    finding.leave_out(
        "which column a value belongs to, in child tables that were dumped as INSERTs (BACKUP_PG_DUMP_OPTIONS=--column-inserts names them)",
        &columns::unnamed(&job.facts.head, original.tables),
    );
    match other_version(&job.facts.head.header, &dumped.header) {
        None => {
            let others = rewritten::forgive(job, database, pairs, &mut finding)?;
            finding.differences.extend(others.iter().flat_map(both));
        }
        Some(versions) => of_other_versions(&pairs, &versions, &mut finding),
    }
    add_rows(rows, &mut finding);
    of_sessions(job, &dumped.refused, &mut finding);
    Ok(finding)
}

/// What relies on the order of columns that a restore has put into another one.
fn relying(job: &Job, view: &View, moved: BTreeSet<(String, String)>, finding: &mut Finding) -> Result<(), Failure> {
    if moved.is_empty() {
        return Ok(());
    }
    let mut reliance = Reliance::on(moved);
    original::each(&job.archive, view, &mut |entry| reliance.look(&entry))?;
    finding.differences.extend(reliance.found);
    Ok(())
}

/// Values and definitions that were written under other settings look different where they are the same.
fn of_sessions(job: &Job, refused: &Session, finding: &mut Finding) {
    let settings: Vec<String> = refused.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    finding
        .leave_out("what is written under settings that the backup was dumped with and this server refuses", &settings);
    let is_told = job.facts.backup.manifest.as_ref().is_some_and(|manifest| !manifest.database.session.is_empty());
    if !is_told && !finding.differences.is_empty() {
        finding.uncompared.push(
            "under which time zone it was dumped: its manifest does not say; if only times differ, set PGTZ to the time zone of the server that was backed up, and drill again".to_owned(),
        );
    }
}

fn names(all: &[Both]) -> Vec<String> {
    all.iter().filter_map(Both::shown).collect()
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
    let count = words::count(names.len() as u64, "definition");
    finding.leave_out(&format!("{count} that {versions} says in another way"), &names);
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

fn large_objects(adjustment: &Adjustment, original: &LargeObjectCensus, dumped: &Dumped, finding: &mut Finding) {
    let copy = &dumped.census.large_objects;
    if original.count != copy.count {
        finding.differences.push(format!("large objects: {} instead of {}", copy.count, original.count));
    } else if original != copy {
        finding.differences.push(format!("large objects: the content of the {} is not the same", original.count));
    } else {
        finding.compared.large_objects = original.count;
        finding.compared.bytes = original.bytes;
    }
    let rights = &dumped.compared.large_objects;
    if adjustment.has_ownerless_large_objects {
        finding
            .leave_out("owner and privileges of large objects, which could not all be given to their owners", rights);
    } else {
        finding.differences.extend(of_large_objects("owner or privileges", rights));
    }
    finding.differences.extend(of_large_objects("comment or label", &dumped.compared.large_objects_texts));
}

fn of_large_objects(what: &str, differing: &[u32]) -> Option<String> {
    let count = words::count(differing.len() as u64, "large object");
    naming(&format!("{what} of {count} differ{}", if differing.len() == 1 { "s" } else { "" }), differing)
}

fn add_rows(rows: Rows, finding: &mut Finding) {
    let compared = &mut finding.compared;
    (compared.tables, compared.rows) = (rows.tables, rows.rows);
    compared.bytes = compared.bytes.saturating_add(rows.bytes);
    // Rows first: they are what nobody can make again.
    finding.differences.splice(0..0, rows.differences);
    finding.remark("the same rows, in another order", &rows.reordered);
    finding.remark("the same rows, in other partitions by hash", &rows.moved);
}
