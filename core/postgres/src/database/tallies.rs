//! What the server itself has counted of each table's rows, while they went in: the cumulative statistics of version 15 and later.
//!
//! Each session adds up what it puts into a table, changes and removes, whatever told it to, and hands the sums in at the
//! latest before it ends. So once every session of a new database has ended, they are all there; and a table into which as many rows
//! went as the archive holds, of which none was changed or removed and whose file was never exchanged, holds these rows. That
//! is more than a COPY's own command tag proves, which says what went in and nothing of what happened then. What doesn't follow
//! from the sums is counted: a server that doesn't add up, or forgot, has sums that don't fit.
//!
//! Before version 15 sums came by datagrams, which may be lost, and prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use archive::{Census, TableCensus};
use serde::Deserialize;

use crate::database::counts::Counted;

/// The first version whose sums are complete.
const COMPLETE_SINCE: u32 = 150_000;
/// How long is waited between looks whether the others' sessions have ended, in seconds: as a rule they are about to.
const PAUSES: [&str; 10] = ["0.001", "0.002", "0.004", "0.008", "0.016", "0.03", "0.06", "0.12", "0.25", "0.5"];

/// Every table with its sums. A table that an extension made may have rows that no dump contains, and triggers from the beginning.
const TALLIES: &str = "SELECT row_to_json(t) FROM (SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name,
        EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') AS seeded,
        CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid::bigint END AS root,
        c.relkind = 'f' AS is_foreign, s.inserted,
        c.relam = 2 AND c.relfilenode = c.oid AND pg_catalog.pg_stat_get_tuples_updated(c.oid) = 0
            AND pg_catalog.pg_stat_get_tuples_deleted(c.oid) = 0 AS untouched,
        pg_catalog.pg_stat_get_live_tuples(c.oid) AS live,
        EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal) AS has_triggers,
        CASE WHEN c.relkind = 'r' AND s.inserted = 0 THEN pg_catalog.pg_relation_size(c.oid) = 0 ELSE false END AS is_empty
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (SELECT pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS inserted) s
    WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY c.oid) t;
SELECT row_to_json(l) FROM (SELECT count(*) AS large_objects FROM pg_catalog.pg_largeobject_metadata) l;
";
/// Whether nobody else is connected to the database. Autovacuum's workers are nobody, and add no rows.
const ALONE: &str = "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND usesysid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid()) AS alone";

/// When the server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Other sessions of ours go on, and change no rows.
    Meanwhile,
    /// All sessions that may have changed rows are about to end: that is waited for, a second at most.
    Afterwards,
}

/// The sums of one table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Tally {
    oid: u64,
    schema: String,
    name: String,
    /// An extension made it.
    seeded: bool,
    /// The topmost table that it is a partition of.
    root: Option<u64>,
    is_foreign: bool,
    /// Rows that went in since it was made, those of transactions that failed as well.
    inserted: u64,
    /// No row was changed or removed, its file is its first, and PostgreSQL's own storage, which adds up, has it.
    untouched: bool,
    /// How many rows it should have; after ANALYZE an estimate.
    live: u64,
    /// It has triggers, which may have kept rows out.
    has_triggers: bool,
    /// Its file has no page.
    is_empty: bool,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    tables: Vec<Tally>,
    large_objects: u64,
    /// Every other session has ended, and handed its sums in.
    alone: bool,
}

/// What follows from the sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    /// The tables of which nothing is open, by OID; without rows where nobody asks for them.
    pub tables: BTreeMap<u64, Counted>,
    /// The tables, by OID, whose rows have to be counted.
    pub open: BTreeSet<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Table(Tally),
    LargeObjects { large_objects: u64 },
    Alone { alone: bool },
}

/// Whether a server of this version, such as `150014`, adds up completely.
#[must_use]
pub fn are_complete(version_number: u32) -> bool {
    version_number >= COMPLETE_SINCE
}

/// psql's input that makes it print the sums, one JSON document a line. `encoding` is the archive's character set.
#[must_use]
pub fn questions(encoding: &str, when: When) -> String {
    let encoding = crate::quote::literal(encoding);
    let look = |pause: &str| {
        format!("{ALONE} \\gset\n\\if :alone\n\\else\nSELECT pg_catalog.pg_sleep({pause}) \\g /dev/null\n\\endif\n")
    };
    let looks = if when == When::Afterwards { PAUSES.map(look).concat() } else { String::new() };
    // Asked before the sums: who ends in between has handed in more.
    format!("SET client_encoding = {encoding};\n{looks}SELECT row_to_json(a) FROM ({ALONE}) a;\n{TALLIES}")
}

/// Reads psql's answer to [`questions`].
///
/// # Errors
/// When a line isn't what was asked for.
pub fn read(answer: &str) -> Result<Tallies, serde_json::Error> {
    let mut tallies = Tallies::default();
    for line in answer.split('\n').filter(|line| !line.is_empty()) {
        match serde_json::from_str(line)? {
            Line::Table(table) => tallies.tables.push(table),
            Line::LargeObjects { large_objects } => tallies.large_objects = large_objects,
            Line::Alone { alone } => tallies.alone = alone,
        }
    }
    Ok(tallies)
}

impl Tally {
    /// How many rows it has, where that follows. A trigger can keep a row out and try to put it in by itself, which fails: the sum
    /// then fits, and what should be there tells.
    fn rows(&self) -> Option<u64> {
        match self.inserted {
            0 => self.is_empty.then_some(0),
            rows => (self.untouched && !self.seeded && (!self.has_triggers || self.live == rows)).then_some(rows),
        }
    }

    fn names(&self) -> (&str, &str) {
        (&self.schema, &self.name)
    }

    fn counted(&self, rows: Option<u64>) -> Counted {
        let Self { schema, name, seeded, root, .. } = self;
        Counted::Table { schema: schema.clone(), name: name.clone(), rows, seeded: *seeded, root: *root }
    }
}

impl Tallies {
    /// Whether every other session had ended, and so every sum is whole.
    #[must_use]
    pub fn are_whole(&self) -> bool {
        self.alone
    }

    /// How many large objects there are.
    #[must_use]
    pub fn large_objects(&self) -> Counted {
        Counted::LargeObjects { large_objects: self.large_objects }
    }

    /// Which tables of the census that `chosen` names have exactly its rows by these sums, and which have to be counted. Of a family
    /// of partitions, among which rows may have gone another way, either none is counted or all are.
    pub fn prove(&self, census: &Census, chosen: impl Fn(&str, &str) -> bool) -> Proven {
        let mut expected: BTreeMap<(&str, &str), Vec<&TableCensus>> = BTreeMap::new();
        census.tables.iter().for_each(|table| expected.entry((&table.schema, &table.name)).or_default().push(table));
        let mut alike: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        self.tables.iter().for_each(|tally| *alike.entry(tally.names()).or_default() += 1);
        let is_asked = |tally: &Tally| match expected.get(&tally.names()).map(Vec::as_slice) {
            None => false,
            Some([table]) => !tally.is_foreign && table.rows.is_some() && chosen(table.names().0, table.names().1),
            Some(_) => true,
        };
        // Names that look alike hide which table is meant.
        let fits = |tally: &Tally| match expected.get(&tally.names()).map(Vec::as_slice) {
            Some([table]) => alike.get(&tally.names()) == Some(&1) && tally.rows() == table.rows,
            _ => false,
        };
        let open = self.with_families(self.tables.iter().filter(|tally| is_asked(tally) && !fits(tally)));
        let closed = self.tables.iter().filter(|tally| !open.contains(&tally.oid));
        let counted = |tally: &Tally| (tally.oid, tally.counted(tally.rows().filter(|_| is_asked(tally))));
        Proven { tables: closed.map(counted).collect(), open }
    }

    /// Which tables that were `proven` by these sums no longer are by later ones: rows went in or out since, or may have.
    #[must_use]
    pub fn undone(&self, proven: &Proven, later: &Self) -> BTreeSet<u64> {
        let now: BTreeMap<u64, &Tally> = later.tables.iter().map(|tally| (tally.oid, tally)).collect();
        let is_as_it_was = |tally: &Tally| {
            let now = now.get(&tally.oid).filter(|now| later.alone && now.inserted == tally.inserted);
            now.is_some_and(|now| if now.inserted == 0 { now.is_empty } else { now.untouched })
        };
        let has_rows = |tally: &&Tally| match proven.tables.get(&tally.oid) {
            Some(Counted::Table { rows, .. }) => rows.is_some(),
            _ => false,
        };
        let undone = self.with_families(self.tables.iter().filter(has_rows).filter(|tally| !is_as_it_was(tally)));
        undone.into_iter().filter(|oid| proven.tables.contains_key(oid)).collect()
    }

    /// These tables, and all partitions beside them.
    fn with_families<'a>(&'a self, tables: impl Iterator<Item = &'a Tally>) -> BTreeSet<u64> {
        let (mut all, mut roots) = (BTreeSet::new(), BTreeSet::new());
        for tally in tables {
            all.insert(tally.oid);
            roots.extend(tally.root);
        }
        let is_beside = |tally: &&Tally| tally.root.is_some_and(|root| roots.contains(&root));
        all.extend(self.tables.iter().filter(is_beside).map(|tally| tally.oid));
        all
    }
}

#[cfg(test)]
mod tests;
