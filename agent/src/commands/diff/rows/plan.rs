//! How the rows of one table are compared: by which columns, and which of them say which row is which.

use std::collections::{BTreeSet, HashMap};

use ::archive::Described;

/// Tables by schema and name.
pub(super) type Tables = BTreeSet<(String, String)>;

/// What an archive's head says of the tables that are compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    tables: HashMap<(String, String), InArchive>,
}

/// A table in one archive.
#[derive(Clone, Debug, Default)]
pub(super) struct InArchive {
    /// The entry with its rows.
    pub(super) dump_id: Option<i32>,
    /// Its columns in the order of the rows' fields; `None` where it was dumped as INSERTs.
    pub(super) columns: Option<Vec<String>>,
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
    /// How many of them are the key; none: rows are counted as they are.
    pub(super) key: usize,
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
    pub(super) fn add(&mut self, entry: &Described, wished: &Tables) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let schema = text(&entry.schema);
        match entry.kind.as_str() {
            "TABLE DATA" => {
                let key = (schema, text(&entry.name));
                if wished.contains(&key) && entry.has_data {
                    let columns = ::archive::copy_columns(&text(&entry.copy_statement));
                    let table = self.tables.entry(key).or_default();
                    table.dump_id = Some(entry.dump_id);
                    table.columns = columns.map(|columns| columns.iter().map(|name| unquoted(name)).collect());
                    // A table without columns has rows all the same.
                    if table.columns.is_none() && text(&entry.copy_statement).starts_with("COPY ") {
                        table.columns = Some(Vec::new());
                    }
                }
            }
            "CONSTRAINT" => {
                if let Some((table, key)) =
                    primary_key(&text(&entry.definition)).filter(|(table, _)| wished.contains(table))
                {
                    self.tables.entry(table).or_default().key = Some(key);
                }
            }
            _ => {}
        }
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
        let rest = common.iter().filter(|column| !key.contains(column)).cloned();
        let ordered: Vec<String> = key.iter().cloned().chain(rest).collect();
        let sides = both.map(|side| InSide::of(side?, &ordered));
        let (schema, name) = table.clone();
        Self { schema, name, columns: ordered, key: key.len(), others, obstacle, sides }
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

/// The table, and the columns of the key, of `ALTER TABLE ONLY public.users\n    ADD CONSTRAINT users_pkey PRIMARY KEY (id);`
fn primary_key(definition: &str) -> Option<((String, String), Vec<String>)> {
    let rest = definition.trim_start().strip_prefix("ALTER TABLE ")?;
    let rest = rest.strip_prefix("ONLY ").unwrap_or(rest);
    let (schema, rest) = name(rest)?;
    let (table, rest) = name(rest.strip_prefix('.')?)?;
    let rest = rest.trim_start().strip_prefix("ADD CONSTRAINT ")?;
    let (_, rest) = name(rest)?;
    let mut rest = rest.strip_prefix(" PRIMARY KEY (")?;
    let mut key = Vec::new();
    loop {
        let (column, after) = name(rest)?;
        key.push(column);
        let after = after.strip_prefix(" WITHOUT OVERLAPS").unwrap_or(after);
        match after.strip_prefix(", ") {
            Some(next) => rest = next,
            None => return after.starts_with(')').then_some(((schema, table), key)),
        }
    }
}

/// The name that a text begins with, unquoted, and what follows it.
fn name(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', ' ', ',', ')', '\n', '(', ';']).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        return (!name.is_empty()).then(|| (name.to_owned(), rest));
    };
    let mut name = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' if letters.peek().is_some_and(|(_, next)| *next == '"') => {
                letters.next();
                name.push('"');
            }
            '"' => return Some((name, quoted.get(at + 1..)?)),
            letter => name.push(letter),
        }
    }
    None
}

fn unquoted(text: &str) -> String {
    name(text).map_or_else(|| text.to_owned(), |(name, _)| name)
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
        let copy = format!("COPY public.t ({columns}) FROM stdin;\n");
        contents.add(&Described { copy_statement: copy.into(), ..entry("TABLE DATA", "t") }, &wished);
        if let Some(key) = key {
            let definition = format!("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT k PRIMARY KEY ({key});\n");
            contents.add(&Described { definition: definition.into(), ..entry("CONSTRAINT", "t k") }, &wished);
        }
        contents
    }

    #[test]
    fn columns_that_moved_or_are_new_are_compared_by_their_names() {
        let table = ("public".to_owned(), "t".to_owned());
        let plan = Plan::of(&table, &contents("a, id, gone", Some("id")), &contents("id, new, a", Some("id")));
        assert_eq!((plan.columns.join(" "), plan.key, plan.others.join(" ")), ("id a".into(), 1, "gone new".into()));
        assert_eq!(plan.side(First), Some((7, &[1, 0][..])));
        assert_eq!(plan.side(Second), Some((7, &[0, 2][..])));
        let keyless = Plan::of(&table, &contents("a, b", None), &contents("a, b", None));
        assert_eq!(keyless.key, 0);
        let other_key = Plan::of(&table, &contents("a, b", Some("b")), &contents("a, c", Some("c")));
        assert_eq!((other_key.key, other_key.columns.join(" ")), (0, "a".into()), "neither key is in both");
        let only = Plan::of(&table, &Contents::default(), &contents("id, a", Some("id")));
        assert_eq!((only.side(First), only.side(Second).is_some(), only.key), (None, true, 1));
    }
}
