//! Every table's rows, counted in the restored database and compared with the census.
//!
//! The names come back in the archive's own character set and are shown as the census shows them, so tables of LATIN1 and
//! SQL_ASCII databases are found as well.

use std::collections::{BTreeMap, BTreeSet};

use archive::{Census, TableCensus};
use serde::Deserialize;

/// Prints every table with its rows, one JSON document a line. `\gexec` runs what the outer query answers with, column by column:
/// the names never pass through us. `:begin` and `:rollback` enclose what a table that the role may not read needs lifted
/// for the count alone: as its owner, with the rights on it, and without its row security. A table whose owner the role can't act as
/// is passed over where it can't be read: none that was restored is of that kind.
const COUNT: &str = r"SELECT CASE WHEN a.lifted THEN :'begin' END,
    CASE WHEN a.lifted AND NOT a.owned THEN pg_catalog.format('SET LOCAL ROLE %I', pg_catalog.pg_get_userbyid(c.relowner)) END,
    CASE WHEN a.lifted AND NOT a.entered THEN pg_catalog.format('GRANT USAGE ON SCHEMA %I TO CURRENT_USER', n.nspname) END,
    CASE WHEN a.lifted AND NOT a.readable THEN pg_catalog.format('GRANT SELECT ON %I.%I TO CURRENT_USER', n.nspname, c.relname) END,
    CASE WHEN a.lifted AND c.relforcerowsecurity THEN pg_catalog.format('ALTER TABLE ONLY %I.%I NO FORCE ROW LEVEL SECURITY', n.nspname, c.relname) END,
    pg_catalog.format(CASE c.relkind
        WHEN 'r' THEN 'SELECT row_to_json(t) FROM (SELECT %1$L::text AS schema, %2$L::text AS name, count(*) AS rows, %3$L::bool AS seeded, %4$L::bigint AS root FROM ONLY %1$I.%2$I) t'
        ELSE 'SELECT row_to_json(t) FROM (SELECT %1$L::text AS schema, %2$L::text AS name, NULL::bigint AS rows, false AS seeded, %4$L::bigint AS root) t' END,
    n.nspname, c.relname,
    EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'),
    CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid END),
    CASE WHEN a.lifted THEN :'rollback' END
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
        LATERAL (SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS entered,
            pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable) may,
        LATERAL (SELECT may.*, c.relkind = 'r' AND pg_catalog.pg_has_role(c.relowner, 'MEMBER')
            AND (NOT entered OR NOT readable OR pg_catalog.row_security_active(c.oid)) AS lifted) a
    WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND (c.relkind = 'f' OR a.lifted OR a.entered AND a.readable AND NOT pg_catalog.row_security_active(c.oid)) {ONLY} ORDER BY c.oid
\gexec
SELECT row_to_json(l) FROM (SELECT count(*) AS large_objects FROM pg_catalog.pg_largeobject_metadata) l;
";

/// The session that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// One of its own.
    Nothing,
    /// One with a transaction under way.
    Transaction,
}

/// psql's input that makes it print the counts, one JSON document a line. `encoding` is the archive's character set.
#[must_use]
pub fn questions(encoding: &str, within: Within) -> String {
    questions_where(encoding, within, "")
}

/// The same of some tables, by their OIDs.
#[must_use]
pub fn questions_of(encoding: &str, tables: &BTreeSet<u64>) -> String {
    let oids: Vec<String> = tables.iter().map(u64::to_string).collect();
    questions_where(encoding, Within::Nothing, &format!("AND c.oid IN ({})", oids.join(", ")))
}

fn questions_where(encoding: &str, within: Within, only: &str) -> String {
    let (begin, rollback) = match within {
        Within::Nothing => ("BEGIN", "ROLLBACK"),
        Within::Transaction => ("SAVEPOINT counting", "ROLLBACK TO SAVEPOINT counting"),
    };
    // Row security must fail rather than hide rows from the count. No settings of ours may reach a session that goes on.
    format!(
        "\\set begin '{begin}'\n\\set rollback '{rollback}'\nSET client_encoding = {};\nSET row_security = off;\n{}",
        crate::quote::literal(encoding),
        COUNT.replace("{ONLY}", only)
    )
}

/// One line of psql's answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Counted {
    /// A table, and how many rows it has.
    Table {
        /// Its schema.
        schema: String,
        /// Its name.
        name: String,
        /// `None`: a foreign table, whose rows are elsewhere.
        rows: Option<u64>,
        /// An extension made it and may have put rows of its own into it, which no dump contains.
        seeded: bool,
        /// The topmost table that it is a partition of, by its OID.
        root: Option<u64>,
    },
    /// How many large objects the database has.
    LargeObjects {
        /// Their number.
        large_objects: u64,
    },
}

/// Where the restored database differs from what the archive was found to hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// The table isn't there.
    #[error("table {table} is missing")]
    Missing {
        /// The table, with its schema.
        table: String,
    },
    /// The table has fewer or more rows.
    #[error("table {table} has {found} rows where the backup has {expected}")]
    Rows {
        /// The table, with its schema.
        table: String,
        /// How many rows the archive holds.
        expected: u64,
        /// How many rows the database holds.
        found: u64,
    },
    /// There are fewer or more large objects.
    #[error("{found} large objects where the backup has {expected}")]
    LargeObjects {
        /// How many the archive holds.
        expected: u64,
        /// How many the database holds.
        found: u64,
    },
}

/// Reads psql's answer to [`questions`].
///
/// # Errors
/// When a line isn't what was asked for.
pub fn read(answer: &str) -> Result<Vec<Counted>, serde_json::Error> {
    answer.split('\n').filter(|line| !line.is_empty()).map(serde_json::from_str).collect()
}

/// One table that was counted.
#[derive(Clone, Copy)]
struct Found {
    rows: Option<u64>,
    seeded: bool,
    root: Option<u64>,
}

impl Found {
    /// Whether it has what the archive holds of it. INSERTs aren't counted as rows, and a foreign table's rows are elsewhere.
    fn fits(&self, expected: Option<u64>) -> bool {
        match (expected, self.rows) {
            (Some(expected), Some(rows)) => rows == expected || self.seeded && rows > expected,
            _ => true,
        }
    }
}

/// Compares every table of the census that `chosen` names. Tables missing from the archive are ignored. Rows may be in another
/// partition than they were: by hash of an enum's value, which depends on the OID that it got.
pub fn compare(census: &Census, counted: &[Counted], chosen: impl Fn(&str, &str) -> bool) -> Vec<Difference> {
    let is_chosen = |table: &&TableCensus| {
        let (schema, name) = table.names();
        chosen(schema, name)
    };
    let mut candidates = by_name(counted);
    let mut differences = Vec::new();
    let mut expected_below: BTreeMap<u64, Option<u64>> = BTreeMap::new();
    let tables: Vec<&TableCensus> = census.tables.iter().filter(is_chosen).collect();
    // What has exactly as many rows first: one of INSERTs would take any.
    let exact: Vec<Option<Found>> = tables.iter().map(|table| take_exact(&mut candidates, table)).collect();
    for (table, exact) in tables.into_iter().zip(exact) {
        let Some(found) = exact.or_else(|| take_fitting(&mut candidates, table)) else {
            let table = format!("{}.{}", table.schema, table.name);
            differences.push((None, Difference::Missing { table }));
            continue;
        };
        if let Some(root) = found.root {
            let sum = expected_below.entry(root).or_insert(Some(0));
            *sum = sum.zip(table.rows).map(|(sum, rows)| sum.saturating_add(rows));
        }
        if !found.fits(table.rows) {
            let (expected, rows) = (table.rows.unwrap_or(0), found.rows.unwrap_or(0));
            let table = format!("{}.{}", table.schema, table.name);
            differences.push((found.root, Difference::Rows { table, expected, found: rows }));
        }
    }
    let found_below = sums(counted);
    // A sum that holds INSERTs says nothing.
    let moved = |root: &u64| {
        expected_below.get(root).is_some_and(|sum| sum.is_none_or(|sum| found_below.get(root) == Some(&sum)))
    };
    differences.retain(|(root, _)| !root.as_ref().is_some_and(moved));
    differences.into_iter().map(|(_, difference)| difference).collect()
}

/// The tables by name.
type Candidates<'a> = BTreeMap<(&'a str, &'a str), Vec<Found>>;

fn by_name(counted: &[Counted]) -> Candidates<'_> {
    let mut found = Candidates::new();
    for table in counted {
        if let Counted::Table { schema, name, rows, seeded, root } = table {
            found.entry((schema, name)).or_default().push(Found { rows: *rows, seeded: *seeded, root: *root });
        }
    }
    found
}

fn take_exact<'a>(candidates: &mut Candidates<'a>, table: &'a TableCensus) -> Option<Found> {
    let candidates = candidates.get_mut(&(table.schema.as_str(), table.name.as_str()))?;
    let at = candidates.iter().position(|found| found.rows.is_some() && found.rows == table.rows)?;
    Some(candidates.remove(at))
}

/// Names that only differ in bytes that aren't UTF-8 look alike: each takes the one that fits it, or else the first.
fn take_fitting<'a>(candidates: &mut Candidates<'a>, table: &'a TableCensus) -> Option<Found> {
    let candidates = candidates.get_mut(&(table.schema.as_str(), table.name.as_str()))?;
    match candidates.iter().position(|found| found.fits(table.rows)) {
        Some(at) => Some(candidates.remove(at)),
        None => candidates.first().copied(),
    }
}

/// How many rows are in all partitions of a table, by the OID of the topmost.
fn sums(counted: &[Counted]) -> BTreeMap<u64, u64> {
    let mut sums = BTreeMap::new();
    for table in counted {
        if let Counted::Table { rows, root: Some(root), .. } = table {
            let sum: &mut u64 = sums.entry(*root).or_default();
            *sum = sum.saturating_add(rows.unwrap_or(0));
        }
    }
    sums
}

/// Compares the number of large objects. `alone`: the database holds none but the archive's.
#[must_use]
pub fn compare_large_objects(census: &Census, counted: &[Counted], alone: bool) -> Option<Difference> {
    let expected = census.large_objects.count;
    let found = counted.iter().find_map(|counted| match counted {
        Counted::LargeObjects { large_objects } => Some(*large_objects),
        Counted::Table { .. } => None,
    });
    let found = found.unwrap_or(0);
    let fits = found == expected || !alone && found > expected;
    (!fits).then_some(Difference::LargeObjects { expected, found })
}

#[cfg(test)]
pub(super) mod tests {
    use archive::Sha256Hex;
    use proptest::prelude::*;

    use super::*;

    pub(in crate::database) fn census(tables: &[(&str, Option<u64>)]) -> Census {
        let table = |(name, rows): &(&str, Option<u64>)| TableCensus {
            schema: "public".to_owned(),
            name: (*name).to_owned(),
            rows: *rows,
            bytes: 0,
            sha256: Sha256Hex::default(),
            called: None,
        };
        Census { tables: tables.iter().map(table).collect(), ..Census::default() }
    }

    fn counted(name: &str, rows: u64, seeded: bool) -> Counted {
        Counted::Table { schema: "public".to_owned(), name: name.to_owned(), rows: Some(rows), seeded, root: None }
    }

    fn partition(name: &str, rows: u64, root: u64) -> Counted {
        Counted::Table {
            schema: "public".to_owned(),
            name: name.to_owned(),
            rows: Some(rows),
            seeded: false,
            root: Some(root),
        }
    }

    #[test]
    fn rows_may_move_between_partitions_of_a_table_and_none_may_be_lost() {
        let census = census(&[("a_0", Some(3)), ("a_1", Some(4)), ("b_0", Some(5)), ("b_1", Some(5))]);
        let counted = |a_0, a_1, b_0, b_1| {
            [partition("a_0", a_0, 1), partition("a_1", a_1, 1), partition("b_0", b_0, 2), partition("b_1", b_1, 2)]
        };
        assert_eq!(compare(&census, &counted(0, 7, 10, 0), all), []);
        assert_eq!(compare(&census, &counted(3, 4, 5, 4), all).len(), 1, "a row was lost");
        assert_eq!(compare(&census, &counted(2, 4, 5, 6), all).len(), 2, "a row went to another table");
        let one = |_: &str, name: &str| name == "a_0";
        assert_eq!(compare(&census, &counted(1, 2, 0, 0), one), [], "one alone, whose rows went elsewhere");
    }

    fn all(_: &str, _: &str) -> bool {
        true
    }

    #[test]
    fn a_missing_table_and_a_lost_row_are_named() {
        let differences = compare(
            &census(&[("a", Some(3)), ("b", Some(1)), ("c", None)]),
            &[counted("a", 2, false), counted("c", 9, false)],
            all,
        );
        let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["table public.a has 2 rows where the backup has 3", "table public.b is missing"]);
    }

    #[test]
    fn rows_that_an_extension_brings_may_come_on_top_and_none_may_be_lost() {
        let census = census(&[("spatial_ref_sys", Some(3))]);
        assert_eq!(compare(&census, &[counted("spatial_ref_sys", 8503, true)], all), []);
        assert_eq!(compare(&census, &[counted("spatial_ref_sys", 2, true)], all).len(), 1);
        assert_eq!(compare(&census, &[counted("spatial_ref_sys", 8503, false)], all).len(), 1);
    }

    #[test]
    fn names_that_look_alike_each_find_their_own() {
        let census = census(&[("\u{fffd}", Some(1)), ("\u{fffd}", Some(2))]);
        assert_eq!(compare(&census, &[counted("\u{fffd}", 2, false), counted("\u{fffd}", 1, false)], all), []);
        assert_eq!(compare(&census, &[counted("\u{fffd}", 1, false), counted("\u{fffd}", 1, false)], all).len(), 1);
        let census = self::census(&[("\u{fffd}", None), ("\u{fffd}", Some(2))]);
        assert_eq!(compare(&census, &[counted("\u{fffd}", 2, false), counted("\u{fffd}", 7, false)], all), []);
    }

    #[test]
    fn psqls_answer_is_read_line_by_line() {
        let answer = "{\"schema\":\"public\",\"name\":\"café\",\"rows\":3,\"seeded\":false,\"root\":null}\n{\"large_objects\":2}\n";
        let counted = read(answer).unwrap();
        assert_eq!(counted[1], Counted::LargeObjects { large_objects: 2 });
        assert!(matches!(&counted[0], Counted::Table { name, rows: Some(3), .. } if name == "café"));
        assert_eq!(
            compare_large_objects(&Census::default(), &counted, true),
            Some(Difference::LargeObjects { expected: 0, found: 2 })
        );
        assert_eq!(compare_large_objects(&Census::default(), &counted, false), None);
    }

    proptest! {
        #[test]
        fn equal_counts_never_differ_and_any_change_does(rows in prop::collection::vec(0_u64..9, 1..8), at in any::<prop::sample::Index>()) {
            let names: Vec<String> = (0..rows.len()).map(|number| format!("t{number}")).collect();
            let tables: Vec<(&str, Option<u64>)> = names.iter().zip(&rows).map(|(n, r)| (n.as_str(), Some(*r))).collect();
            let mut counts: Vec<Counted> = names.iter().zip(&rows).map(|(n, r)| counted(n, *r, false)).collect();
            prop_assert_eq!(compare(&census(&tables), &counts, all), []);
            let at = at.index(rows.len());
            counts[at] = counted(&names[at], rows[at] + 1, false);
            prop_assert_eq!(compare(&census(&tables), &counts, all).len(), 1);
        }
    }
}
