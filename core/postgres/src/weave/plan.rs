//! What is read by whom: the archive's promises, the tables behind them, and the strands that they are read in.

use std::sync::Arc;

use archive::weave::{Head, Promised};
use serde::Deserialize;

/// Bytes of a table, as the server stores them, that are read at once.
const RANGE: u64 = 8 << 20;
/// Servers that find rows by where they lie.
const WITH_TID_RANGES: u32 = 14;

/// A table whose rows the archive promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) dump_id: i32,
    /// Its entry, in words.
    pub(super) shown: String,
    pub(super) oid: u32,
    /// Its name, in quotes where it needs them, in the archive's character set.
    pub(super) name: Vec<u8>,
    /// Its columns, `a, "b c"`; empty for a table that has none.
    pub(super) columns: Vec<u8>,
    /// Which of its rows are dumped, `WHERE …`: those of an extension's table that its user wrote.
    pub(super) condition: Option<String>,
    /// How it is cut; `None`: it is read at once.
    pub(super) cut: Option<Cut>,
    /// So small that it is read together with others.
    pub(super) is_small: bool,
}

/// A table's pages, and how many of them are read at once. Long values lie elsewhere, so that few pages may be much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pages: u64,
    each: u64,
}

/// What one strand is.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// Rows of a table that lie in these pages; `None`: all.
    Rows { table: Arc<Table>, pages: Option<Pages> },
    /// All rows of several small tables.
    Small(Arc<[Table]>),
    /// All large objects, whose entries have these numbers.
    LargeObjects(Arc<[i32]>),
}

/// Pages from one to before another; without another, to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pages {
    pub(super) from: u64,
    pub(super) to: Option<u64>,
}

/// What the server says of a table.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Told {
    pub(super) oid: u32,
    pub(super) is_heap: bool,
    pub(super) pages: Option<u64>,
    /// With its long values.
    pub(super) bytes: Option<u64>,
    pub(super) is_changed: bool,
    pub(super) condition: Option<String>,
}

/// Bytes of a small table on disk, with its long values. What that may hold, compressed, is a few megabytes.
const SMALL: u64 = 64 << 10;
/// Small tables that are read together.
const TOGETHER: usize = 20;

/// The question whose rows are [`Told`]. `is_changed`: its rows were moved to another file after the snapshot, which then may not see
/// them.
pub(super) const TELL: &str = "SELECT pg_catalog.row_to_json(told) FROM (SELECT c.oid::pg_catalog.int8 AS oid,
    c.relkind = 'r' AND coalesce(a.amname = 'heap', false) AS is_heap,
    size / pg_catalog.current_setting('block_size')::pg_catalog.int8 AS pages, size + long AS bytes,
    c.relkind = 'r' AND c.relfilenode <> 0
        AND pg_catalog.pg_relation_filenode(c.oid) IS DISTINCT FROM c.relfilenode AS is_changed,
    e.condition FROM pg_catalog.pg_class c CROSS JOIN LATERAL
        (SELECT CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid) END AS size,
        CASE c.reltoastrelid WHEN 0 THEN 0 ELSE pg_catalog.pg_relation_size(c.reltoastrelid::pg_catalog.regclass) END AS long
        OFFSET 0) s
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
    LEFT JOIN (SELECT pg_catalog.unnest(extconfig) AS oid, pg_catalog.unnest(extcondition) AS condition
        FROM pg_catalog.pg_extension) e ON e.oid = c.oid WHERE c.oid = ANY ('{{OIDS}}')) AS told;";

/// The tables of an archive's head, in its order, and the numbers of its entries of large objects, which come last.
///
/// # Errors
/// Why they can't be read by several sessions, in words.
pub(super) fn promised(head: &Head) -> Result<(Vec<Table>, Vec<i32>), String> {
    let (mut tables, mut large_objects) = (Vec::new(), Vec::new());
    for promise in &head.promises {
        let (dump_id, shown) = (promise.dump_id, promise.name.clone());
        match &promise.promised {
            Promised::LargeObjects => large_objects.push(dump_id),
            Promised::Rows { oid, copy } if large_objects.is_empty() => {
                let (name, columns) = taken_apart(copy).ok_or_else(|| format!("{shown} has no usual COPY"))?;
                tables.push(Table {
                    dump_id,
                    shown,
                    oid: *oid,
                    name,
                    columns,
                    condition: None,
                    cut: None,
                    is_small: false,
                });
            }
            _ => return Err(format!("{shown} isn't rows of a table")),
        }
    }
    Ok((tables, large_objects))
}

/// Adds what the server says of each.
///
/// # Errors
/// Why they can't be read by several sessions, in words.
pub(super) fn tell(tables: &mut [Table], told: &[Told], major: u32) -> Result<(), String> {
    let mut by_oid: std::collections::HashMap<u32, &Told> = told.iter().map(|told| (told.oid, told)).collect();
    for table in tables {
        let Some(told) = by_oid.remove(&table.oid).filter(|told| !told.is_changed) else {
            return Err(format!("{} was changed when the dump began", table.shown));
        };
        let condition = told.condition.clone().filter(|condition| !condition.trim().is_empty());
        if condition.as_ref().is_some_and(|condition| !condition.is_ascii()) {
            return Err(format!("{} has a condition that isn't ASCII", table.shown));
        }
        let is_split = told.is_heap && major >= WITH_TID_RANGES && condition.is_none() && !table.columns.is_empty();
        table.cut = told.pages.zip(told.bytes).and_then(|(pages, bytes)| Cut::of(pages, bytes)).filter(|_| is_split);
        table.condition = condition;
        table.is_small = told.bytes.is_some_and(|bytes| bytes <= SMALL);
    }
    Ok(())
}

/// The strands, in the archive's order.
pub(super) fn jobs(tables: Vec<Table>, large_objects: Vec<i32>) -> impl Iterator<Item = Job> + Send {
    let last = (!large_objects.is_empty()).then(|| Job::LargeObjects(large_objects.into()));
    let mut tables = tables.into_iter().peekable();
    let groups = std::iter::from_fn(move || {
        let first = tables.next()?;
        let mut group = vec![first];
        while group.len() < TOGETHER && group.iter().all(|table| table.is_small) {
            let Some(next) = tables.next_if(|next| next.is_small) else { break };
            group.push(next);
        }
        Some(group)
    });
    groups.flat_map(jobs_of).chain(last)
}

/// The strands of one table, or of several small ones.
fn jobs_of(mut group: Vec<Table>) -> Vec<Job> {
    let Some(table) = group.pop_if(|table| !table.is_small) else { return vec![Job::Small(group.into())] };
    let table = Arc::new(table);
    let Some(Cut { pages, each }) = table.cut else { return vec![Job::Rows { table, pages: None }] };
    let count = (pages / each).max(1);
    let ranges = (0..count).map(|number| {
        let to = (number + 1 < count).then_some((number + 1) * each);
        Job::Rows { table: Arc::clone(&table), pages: Some(Pages { from: number * each, to }) }
    });
    ranges.collect()
}

impl Cut {
    /// Of a table of so many pages, which is `bytes` long with its long values; `None` where that isn't worth it.
    fn of(pages: u64, bytes: u64) -> Option<Self> {
        let each =
            u64::try_from(u128::from(pages) * u128::from(RANGE) / u128::from(bytes.max(1))).unwrap_or(pages).max(1);
        (bytes > 2 * RANGE && pages > each).then_some(Self { pages, each })
    }
}

impl Table {
    /// The statement that copies what lies in these pages.
    pub(super) fn copy(&self, pages: Option<Pages>) -> Vec<u8> {
        let (name, columns) = (self.name.as_slice(), self.columns.as_slice());
        let condition = match (pages, &self.condition) {
            (Some(Pages { from, to }), _) => {
                let end = to.map_or(String::new(), |to| format!(" AND ctid < '({to},0)'::pg_catalog.tid"));
                format!("WHERE ctid >= '({from},0)'::pg_catalog.tid{end}")
            }
            (None, Some(condition)) => condition.clone(),
            (None, None) if columns.is_empty() => return [b"COPY ", name, b" TO STDOUT"].concat(),
            (None, None) => return [b"COPY ", name, b" (", columns, b") TO STDOUT"].concat(),
        };
        [b"COPY (SELECT ", columns, b" FROM ONLY ", name, b" ", condition.as_bytes(), b") TO STDOUT"].concat()
    }
}

/// The name and the columns of `COPY schema.table (column, …) FROM stdin;`.
fn taken_apart(copy: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let body = copy.strip_prefix(b"COPY ")?.trim_ascii_end().strip_suffix(b" FROM stdin;")?;
    // Within quotes anything may stand.
    let mut is_quoted = false;
    let end = body.iter().position(|&byte| {
        is_quoted ^= byte == b'"';
        !is_quoted && byte == b' '
    });
    let (name, columns) = body.split_at(end.unwrap_or(body.len()));
    let columns = columns.trim_ascii();
    let columns = match columns.is_empty() {
        true => columns,
        false => columns.strip_prefix(b"(")?.strip_suffix(b")")?,
    };
    Some((name.to_vec(), columns.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(copy: &str) -> Table {
        let (name, columns) = taken_apart(copy.as_bytes()).unwrap();
        Table {
            dump_id: 1,
            shown: "TABLE DATA t".to_owned(),
            oid: 9,
            name,
            columns,
            condition: None,
            cut: None,
            is_small: false,
        }
    }

    #[test]
    fn each_tables_copy_is_what_pg_dump_says() {
        let said = |table: &Table, pages| String::from_utf8(table.copy(pages)).unwrap();
        let plain = table("COPY public.\"a (b\" (id, \"c) FROM stdin;\") FROM stdin;\n");
        assert_eq!(said(&plain, None), "COPY public.\"a (b\" (id, \"c) FROM stdin;\") TO STDOUT");
        assert_eq!(said(&table("COPY public.t  FROM stdin;\n"), None), "COPY public.t TO STDOUT");
        let chosen = Table { condition: Some("WHERE id > 5".to_owned()), ..table("COPY s.t (id) FROM stdin;\n") };
        assert_eq!(said(&chosen, None), "COPY (SELECT id FROM ONLY s.t WHERE id > 5) TO STDOUT");
        let range = said(&table("COPY s.t (id) FROM stdin;\n"), Some(Pages { from: 0, to: Some(1024) }));
        let (from, to) = ("ctid >= '(0,0)'::pg_catalog.tid", "ctid < '(1024,0)'::pg_catalog.tid");
        assert_eq!(range, format!("COPY (SELECT id FROM ONLY s.t WHERE {from} AND {to}) TO STDOUT"));
        assert_eq!(taken_apart(b"INSERT INTO t"), None);
    }

    #[test]
    fn ranges_cover_every_page_once_and_the_last_has_no_end() {
        for (pages, bytes, count) in
            [(2049, 2049 << 13, 2), (4096, 4096 << 13, 4), (60, 480 << 20, 60), (9, 90 << 20, 9)]
        {
            let cut = Cut::of(pages, bytes);
            let jobs: Vec<_> = jobs(vec![Table { cut, ..table("COPY s.t (id) FROM stdin;\n") }], vec![7]).collect();
            assert_eq!(jobs.len(), count + 1);
            let mut next = Some(0);
            for job in jobs {
                match job {
                    Job::Rows { pages: Some(range), .. } => {
                        assert_eq!(Some(range.from), next);
                        next = range.to;
                    }
                    Job::Rows { pages: None, .. } | Job::Small(_) => panic!("a whole table"),
                    Job::LargeObjects(ids) => assert_eq!((&*ids, next), (&[7][..], None)),
                }
            }
        }
    }

    #[test]
    fn small_tables_are_read_together_and_keep_their_place() {
        let sizes = [1, 1, 0, 1].into_iter().chain([1; 60]);
        let tables = sizes.enumerate().map(|(number, small)| Table {
            dump_id: number as i32,
            is_small: small == 1,
            ..table("COPY s.t (id) FROM stdin;\n")
        });
        let ids: Vec<Vec<i32>> = jobs(tables.collect(), Vec::new())
            .map(|job| match job {
                Job::Small(tables) => tables.iter().map(|table| table.dump_id).collect(),
                Job::Rows { table, .. } => vec![table.dump_id],
                Job::LargeObjects(_) => panic!("nobody has any"),
            })
            .collect();
        assert_eq!(ids, [vec![0, 1], vec![2], (3..23).collect(), (23..43).collect(), (43..63).collect(), vec![63]]);
    }

    #[test]
    fn only_large_heaps_are_split() {
        let told = |is_heap, pages, condition: Option<&str>| Told {
            oid: 9,
            is_heap,
            pages: Some(pages),
            bytes: Some(pages << 13),
            is_changed: false,
            condition: condition.map(str::to_owned),
        };
        let split = |told: Told, major| {
            let mut tables = [table("COPY s.t (id) FROM stdin;\n")];
            tell(&mut tables, &[told], major).map(|()| tables[0].cut.is_some())
        };
        assert_eq!(split(told(true, 5000, None), 14), Ok(true));
        assert_eq!(split(told(true, 5000, None), 13), Ok(false), "no ranges");
        assert_eq!(split(told(false, 5000, None), 15), Ok(false), "another access method");
        assert_eq!(split(told(true, 2048, None), 15), Ok(false), "small");
        assert_eq!(split(told(true, 5000, Some("WHERE x")), 15), Ok(false), "an extension's");
        assert!(split(told(true, 9, Some("WHERE ä")), 15).is_err());
        assert!(split(Told { is_changed: true, ..told(true, 9, None) }, 15).is_err());
        assert!(split(Told { oid: 8, ..told(true, 9, None) }, 15).is_err(), "gone");
    }
}
