//! How the rows of one table are compared: by which columns, and which of them say which row is which.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use ::archive::rows::{Comparison, CopyStatement, value};
use ::archive::{Charset, Described, Recoder, identifier, qualified_name};
use postgres::words::types::Types;

/// A schema, and a name in it.
pub(super) type Name = (String, String);
/// Tables by schema and name.
pub(super) type Tables = BTreeSet<Name>;

/// What an archive's head says of the tables that are compared. Its texts are in UTF-8 here.
#[derive(Debug, Default)]
pub(super) struct Contents {
    tables: HashMap<Name, InArchive>,
    /// What each table is called among those that are compared, by what it is called in this archive.
    compared_as: HashMap<Name, Name>,
    types: Types,
    recoder: Recoder,
}

/// A table in one archive.
#[derive(Clone, Debug, Default)]
struct InArchive {
    /// What it is called there.
    called: Name,
    /// The entry with its rows.
    dump_id: Option<i32>,
    /// Its columns in the order of the rows' fields; `None` where it was dumped as INSERTs.
    columns: Option<Vec<String>>,
    /// The columns of its primary key.
    key: Option<Vec<String>>,
}

/// Which of the two backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Second,
}
pub(super) use Which::{First, Second};

/// A table, and how its rows are compared.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) schema: String,
    pub(super) name: String,
    /// The columns that both have, those of the key first; of one that only one backup has, all of them.
    pub(super) columns: Vec<String>,
    /// How two values of each are compared.
    pub(super) comparisons: Vec<Comparison>,
    /// How many of them are the key; none: rows are counted as they are.
    pub(super) key: usize,
    /// What tells rows apart has to be worked out, because it may be spelled otherwise.
    pub(super) has_other_keys: bool,
    /// What its rows are told apart by, in words.
    pub(super) by: String,
    /// Both have the same columns, in another order.
    pub(super) is_reordered: bool,
    /// Columns that only one backup has.
    pub(super) others: Vec<String>,
    /// Why nothing can be compared.
    pub(super) obstacle: Option<String>,
    sides: [Option<InSide>; 2],
}

/// Where a table's rows are in one archive.
#[derive(Clone, Debug)]
struct InSide {
    dump_id: i32,
    /// Of each column that is compared, which field it is.
    fields: Vec<usize>,
}

impl Contents {
    /// Takes what an entry says of one of these tables.
    pub(super) fn add(&mut self, entry: Described, wished: &Tables) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // As a census has it whose names aren't known by the archive's own character set.
        let counted_as = (text(&entry.schema), text(&entry.name));
        let entry = self.recoder.recoded(entry);
        let called = (text(&entry.schema), text(&entry.name));
        match entry.kind.as_str() {
            "TABLE DATA" if entry.has_data => {
                let Some(name) = [&called, &counted_as].into_iter().find(|name| wished.contains(*name)).cloned() else {
                    return;
                };
                let copy = CopyStatement::parse(&entry.copy_statement);
                let columns = copy.map(|copy| copy.columns.iter().map(|name| text(name)).collect());
                let table = self.tables.entry(name.clone()).or_default();
                (table.called, table.dump_id, table.columns) = (called.clone(), Some(entry.dump_id), columns);
                self.compared_as.insert(called, name);
            }
            "CONSTRAINT" => {
                let Some((table, key)) = primary_key(&text(&entry.definition)) else { return };
                let name = self.compared_as.get(&table).and_then(|name| self.tables.get_mut(name));
                name.into_iter().for_each(|table| table.key = Some(key.clone()));
            }
            kind => self.types.note(kind, &called.0, &called.1, &text(&entry.definition)),
        }
    }

    /// The character set of its rows.
    pub(super) fn charset(&self) -> Charset {
        self.recoder.charset()
    }

    /// How values of a table's columns are compared.
    fn comparisons(&self, table: Option<&InArchive>) -> HashMap<String, Comparison> {
        let columns = table.map(|table| self.types.columns(&table.called.0, &table.called.1));
        columns.into_iter().flatten().map(|(name, kind)| (name, kind.comparison)).collect()
    }

    fn get(&self, table: &(String, String)) -> Option<&InArchive> {
        self.tables.get(table).filter(|table| table.dump_id.is_some())
    }
}

impl Plan {
    pub(super) fn of(table: &(String, String), first: &Contents, second: &Contents) -> Self {
        let both = [first.get(table), second.get(table)];
        let columns = |side: Option<&InArchive>| side.and_then(|side| side.columns.clone());
        let obstacle = if both.iter().flatten().any(|side| side.columns.is_none()) {
            Some("it was dumped as INSERTs, which hold no rows that could be told apart".to_owned())
        } else if both.iter().flatten().next().is_none() {
            Some("its rows are in neither backup".to_owned())
        } else {
            None
        };
        let (common, others) = match (columns(both[0]), columns(both[1])) {
            (Some(old), Some(new)) => common(&old, &new),
            (Some(only), None) | (None, Some(only)) => (only, Vec::new()),
            (None, None) => (Vec::new(), Vec::new()),
        };
        let fits = |key: &&Vec<String>| key.iter().all(|column| common.contains(column));
        // The newer one's, where both have it.
        let mut keys = both.iter().rev().flatten().filter_map(|side| side.key.as_ref());
        let key = keys.find(fits).cloned().unwrap_or_default();
        let by = told_apart_by(&key, both);
        let rest = common.iter().filter(|column| !key.contains(column)).cloned();
        let ordered: Vec<String> = key.iter().cloned().chain(rest).collect();
        let sides = both.map(|side| InSide::of(side?, &ordered));
        let comparisons = both_ways(&ordered, [first.comparisons(both[0]), second.comparisons(both[1])]);
        let is_reordered =
            others.is_empty() && columns(both[0]) != columns(both[1]) && both.iter().all(Option::is_some);
        let (schema, name) = table.clone();
        let key = key.len();
        let mut plan = Self {
            schema,
            name,
            columns: ordered,
            comparisons,
            key,
            has_other_keys: false,
            by,
            is_reordered,
            others,
            obstacle,
            sides,
        };
        plan.has_other_keys = (0..plan.key_columns()).any(|column| plan.is_respelled(column));
        plan
    }

    /// Whether two fields of this column are the same value. What a session's settings spell otherwise is, and so is a number of a key with
    /// other zeros.
    pub(super) fn is_same(&self, column: usize, one: &[u8], other: &[u8]) -> bool {
        let comparison = self.comparison(column);
        let is_looser = is_of_the_session(comparison) || column < self.key && comparison == Comparison::Decimal;
        one == other
            || is_looser
                && matches!((value(one), value(other)), (Some(one), Some(other)) if comparison.is_same(&one, &other))
    }

    /// Whether some values may be the same though they are spelled otherwise.
    pub(super) fn may_be_respelled(&self) -> bool {
        (0..self.columns.len()).any(|column| is_of_the_session(self.comparison(column)))
    }

    fn key_columns(&self) -> usize {
        if self.key == 0 { self.columns.len() } else { self.key }
    }

    /// Whether a value of what tells rows apart may be spelled otherwise.
    fn is_respelled(&self, column: usize) -> bool {
        let comparison = self.comparison(column);
        is_of_the_session(comparison) || self.key > 0 && !comparison.has_one_text()
    }

    /// What tells the row apart: the same for rows with the same key; of a table without one, for rows that are the same.
    pub(super) fn key_of<'r>(&self, row: &'r [u8]) -> Cow<'r, [u8]> {
        if !self.has_other_keys {
            return Cow::Borrowed(beginning(row, self.key));
        }
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        let mut key = Vec::with_capacity(row.len());
        for (column, field) in row.split(|byte| *byte == b'\t').take(self.key_columns()).enumerate() {
            let found = value(field).filter(|_| self.is_respelled(column));
            match found.as_ref().and_then(|found| self.comparison(column).canonical(found)) {
                Some(canonical) => {
                    key.extend_from_slice(&(canonical.len() as u64).to_be_bytes());
                    key.extend_from_slice(&canonical);
                }
                None => {
                    key.extend_from_slice(&u64::MAX.to_be_bytes());
                    key.extend_from_slice(field);
                    key.push(b'\t');
                }
            }
        }
        Cow::Owned(key)
    }

    fn comparison(&self, column: usize) -> Comparison {
        self.comparisons.get(column).copied().unwrap_or(Comparison::Text)
    }

    pub(super) fn is_comparable(&self) -> bool {
        self.obstacle.is_none()
    }

    /// The entry with its rows, and which fields are compared.
    pub(super) fn side(&self, which: Which) -> Option<(i32, &[usize])> {
        let [first, second] = &self.sides;
        let side = if which == First { first } else { second };
        side.as_ref().filter(|_| self.is_comparable()).map(|side| (side.dump_id, side.fields.as_slice()))
    }
}

impl InSide {
    fn of(side: &InArchive, columns: &[String]) -> Option<Self> {
        let own = side.columns.as_ref()?;
        let fields = columns.iter().map(|column| own.iter().position(|name| name == column));
        Some(Self { dump_id: side.dump_id?, fields: fields.collect::<Option<_>>()? })
    }
}

/// The columns that both have, in the first's order, and those that one of them lacks.
fn common(old: &[String], new: &[String]) -> (Vec<String>, Vec<String>) {
    let (common, gone): (Vec<String>, Vec<String>) = old.iter().cloned().partition(|column| new.contains(column));
    let added = new.iter().filter(|column| !old.contains(column)).cloned();
    (common, gone.into_iter().chain(added).collect())
}

/// A value has another text where the session that dumped it had another time zone or another `bytea_output`.
fn is_of_the_session(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Instant | Comparison::Bytes)
}

/// How values of these columns are compared where both say the same of them; numbers of any kind as numbers.
fn both_ways(columns: &[String], [first, second]: [HashMap<String, Comparison>; 2]) -> Vec<Comparison> {
    let is_number = |comparison| matches!(comparison, Comparison::Integer | Comparison::Decimal);
    let one = |column: &String| match (first.get(column), second.get(column)) {
        (Some(one), Some(other)) if one == other => *one,
        (Some(one), Some(other)) if is_number(*one) && is_number(*other) => Comparison::Decimal,
        (Some(one), None) | (None, Some(one)) => *one,
        _ => Comparison::Text,
    };
    columns.iter().map(one).collect()
}

/// By what rows are told apart: `by id`.
fn told_apart_by(key: &[String], both: [Option<&InArchive>; 2]) -> String {
    if !key.is_empty() {
        return format!("by {}", key.join(", "));
    }
    let keys = both.map(|side| side.and_then(|side| side.key.as_ref()));
    if keys.iter().all(Option::is_none) {
        return "which has no primary key".to_owned();
    }
    let shown =
        |key: Option<&Vec<String>>| key.map_or_else(|| "none".to_owned(), |key| format!("({})", key.join(", ")));
    format!(
        "whose primary keys are not the same ({}, then {}), so that rows are counted",
        shown(keys[0]),
        shown(keys[1])
    )
}

/// The first `fields` fields of a row; all of it where there is no key.
fn beginning(row: &[u8], fields: usize) -> &[u8] {
    if fields == 0 {
        return row;
    }
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let end = row.iter().enumerate().filter(|(_, byte)| **byte == b'\t').nth(fields - 1).map(|(at, _)| at);
    row.get(..end.unwrap_or(row.len())).unwrap_or(row)
}

/// The table, and the columns of the key, of `ALTER TABLE ONLY public.users\n    ADD CONSTRAINT users_pkey PRIMARY KEY (id);`
fn primary_key(definition: &str) -> Option<(Name, Vec<String>)> {
    let rest = definition.trim_start().strip_prefix("ALTER TABLE ")?;
    let (schema, table, rest) = qualified_name(rest.strip_prefix("ONLY ").unwrap_or(rest))?;
    let rest = rest.trim_start().strip_prefix("ADD CONSTRAINT ")?;
    let (_, rest) = identifier(rest)?;
    let mut rest = rest.strip_prefix(" PRIMARY KEY (")?;
    let mut key = Vec::new();
    loop {
        let (column, after) = identifier(rest)?;
        key.push(column);
        let after = after.strip_prefix(" WITHOUT OVERLAPS").unwrap_or(after);
        match after.strip_prefix(", ") {
            Some(next) => rest = next,
            None => return after.starts_with(')').then_some(((schema.unwrap_or_default(), table), key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_key_is_read_whatever_its_names_are() {
        let read = |definition: &str| primary_key(definition);
        let owned = |schema: &str, table: &str, key: &[&str]| {
            Some(((schema.to_owned(), table.to_owned()), key.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()))
        };
        assert_eq!(
            read("ALTER TABLE ONLY public.users\n    ADD CONSTRAINT users_pkey PRIMARY KEY (id);\n"),
            owned("public", "users", &["id"])
        );
        assert_eq!(
            read(
                "ALTER TABLE ONLY \"a.b\".\"t (\"\"x\"\")\"\n    ADD CONSTRAINT \"PRIMARY KEY (\" PRIMARY KEY (\"a, b\", c) INCLUDE (d);\n"
            ),
            owned("a.b", "t (\"x\")", &["a, b", "c"])
        );
        assert_eq!(
            read("ALTER TABLE ONLY p.t\n    ADD CONSTRAINT k PRIMARY KEY (id, at WITHOUT OVERLAPS);\n"),
            owned("p", "t", &["id", "at"])
        );
        assert_eq!(read("ALTER TABLE ONLY p.t\n    ADD CONSTRAINT k UNIQUE (id);\n"), None);
    }

    fn contents(columns: &str, key: Option<&str>) -> Contents {
        let mut contents = Contents::default();
        let entry = |kind: &str, name: &str| Described {
            dump_id: 7,
            kind: kind.into(),
            schema: b"public".to_vec(),
            name: name.into(),
            has_data: true,
            ..Described::default()
        };
        let wished = [("public".to_owned(), "t".to_owned())].into();
        let numbers = columns.split(", ").map(|name| format!("    {name} numeric")).collect::<Vec<_>>().join(",\n");
        let table = format!("CREATE TABLE public.t (\n{numbers}\n);\n");
        contents.add(Described { definition: table.into(), ..entry("TABLE", "t") }, &wished);
        let copy = format!("COPY public.t ({columns}) FROM stdin;\n");
        contents.add(Described { copy_statement: copy.into(), ..entry("TABLE DATA", "t") }, &wished);
        if let Some(key) = key {
            let definition = format!("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT k PRIMARY KEY ({key});\n");
            contents.add(Described { definition: definition.into(), ..entry("CONSTRAINT", "t k") }, &wished);
        }
        contents
    }

    #[test]
    fn a_key_is_the_same_whatever_zeros_its_numbers_have() {
        let table = ("public".to_owned(), "t".to_owned());
        let plan = Plan::of(&table, &contents("id, a", Some("id")), &contents("id, a", Some("id")));
        assert_eq!(plan.key_of(b"1.0\tx\n"), plan.key_of(b"1.00\ty\n"));
        assert_ne!(plan.key_of(b"1.0\tx\n"), plan.key_of(b"10\tx\n"));
        assert!(plan.is_same(0, b"1.0", b"1.00") && !plan.is_same(1, b"1.0", b"1.00"));
        assert_eq!(beginning(b"1\ta\tb\n", 1), b"1");
        assert_eq!(beginning(b"1\ta\tb\n", 2), b"1\ta");
        assert_eq!(beginning(b"1\ta\n", 2), b"1\ta");
        assert_eq!(beginning(b"1\ta\n", 0), b"1\ta\n");
    }

    #[test]
    fn columns_that_moved_or_are_new_are_compared_by_their_names() {
        let table = ("public".to_owned(), "t".to_owned());
        let plan = Plan::of(&table, &contents("a, id, gone", Some("id")), &contents("id, new, a", Some("id")));
        assert_eq!((plan.columns.join(" "), plan.key, plan.others.join(" ")), ("id a".into(), 1, "gone new".into()));
        assert_eq!(plan.side(First), Some((7, &[1, 0][..])));
        assert_eq!(plan.side(Second), Some((7, &[0, 2][..])));
        assert_eq!((plan.by.as_str(), plan.is_reordered), ("by id", false));
        let keyless = Plan::of(&table, &contents("a, b", None), &contents("a, b", None));
        assert_eq!(keyless.key, 0);
        let other_key = Plan::of(&table, &contents("a, b", Some("b")), &contents("a, c", Some("c")));
        assert_eq!((other_key.key, other_key.columns.join(" ")), (0, "a".into()), "neither key is in both");
        assert!(other_key.by.contains("(b), then (c)"), "{}", other_key.by);
        let moved = Plan::of(&table, &contents("a, b", None), &contents("b, a", None));
        assert_eq!((moved.by.as_str(), moved.is_reordered), ("which has no primary key", true));
        let only = Plan::of(&table, &Contents::default(), &contents("id, a", Some("id")));
        assert_eq!((only.side(First), only.side(Second).is_some(), only.key), (None, true, 1));
    }
}
