//! What `diff` answers.

use std::fmt::{self, Display as _};

use catalog::{State, words};
use jiff::Timestamp;
use repository::Repository;
use serde::Serialize;

use crate::answers::failure::Failure;
use crate::answers::report::{Report, print, printable, visible};
use crate::answers::table::{Column, Table};
use crate::commands::diff::definitions::{Change, Definition, Sequence};
use crate::commands::diff::heads::Heads;
use crate::commands::diff::side::Side;
use crate::commands::diff::tables::{self, Amount, Tables};

/// `lastgood diff --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiffAnswer {
    repository: String,
    first: Compared,
    second: Compared,
    /// Whether nothing that was compared differs.
    equal: bool,
    tables: Vec<tables::Table>,
    equal_tables: usize,
    /// Null where they are the same.
    large_objects: Option<LargeObjects>,
    sequences: Vec<Sequence>,
    definitions: Vec<Definition>,
    /// Definitions and sequences that are equal; null where none were compared.
    equal_definitions: Option<u64>,
    /// What could not be compared, a sentence each.
    not_compared: Vec<String>,
    notes: Vec<String>,
    #[serde(skip)]
    has_censuses: bool,
}

/// One of the two backups.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Compared {
    id: String,
    database: String,
    state: State,
    instant: Timestamp,
    #[serde(skip)]
    shown: String,
}

#[derive(Serialize)]
struct LargeObjects {
    /// Null where their contents are the same.
    content: Option<Contents>,
    /// Whose owner, privileges, comment or label differ, in words; null where none do.
    about: Option<String>,
}

#[derive(Serialize)]
struct Contents {
    before: Amount,
    after: Amount,
}

impl DiffAnswer {
    pub(super) fn new(
        repository: &Repository,
        (first, second): (&Side, &Side),
        tables: &Tables,
        heads: &Heads,
        now: Timestamp,
    ) -> Self {
        let content = tables.large_objects.map(|(before, after)| Contents { before, after });
        let about = heads.large_objects.clone();
        let large_objects = (content.is_some() || about.is_some()).then_some(LargeObjects { content, about });
        let is_equal = tables.differing.is_empty()
            && large_objects.is_none()
            && heads.sequences.is_empty()
            && heads.definitions.is_empty();
        Self {
            repository: repository.display_name(),
            first: Compared::of(first, now),
            second: Compared::of(second, now),
            equal: is_equal,
            tables: tables.differing.clone(),
            equal_tables: tables.equal.len(),
            large_objects,
            sequences: heads.sequences.clone(),
            definitions: heads.definitions.clone(),
            equal_definitions: heads.equal,
            not_compared: heads.uncompared.clone(),
            notes: heads.notes.iter().cloned().chain(other_session(first, second)).chain(reordered(heads)).collect(),
            has_censuses: tables.is_compared,
        }
    }

    pub(super) fn is_equal(&self) -> bool {
        self.equal
    }

    /// Begins an answer that rows follow: the words, or the document up to its last field.
    ///
    /// # Errors
    /// As [`Report::answer`].
    pub(super) fn begin(&self, report: Report) -> Result<(), Failure> {
        if !report.json {
            return print(&visible(self.to_string().trim_end()));
        }
        let json = serde_json::to_string_pretty(self);
        let json = json.map_err(|e| Failure::new(crate::answers::failure::Exit::Failed, e.to_string()))?;
        print(&format!("{},\n  \"rows\": [", json.trim_end().trim_end_matches('}').trim_end()))
    }
}

/// What is spelled in other words because the sessions that dumped it had other settings.
fn other_session(first: &Side, second: &Side) -> Option<String> {
    let others = first.session.iter().filter_map(|(name, old)| {
        let new = second.session.get(name).filter(|new| *new != old)?;
        Some(format!("{name} was {old}, then {new}"))
    });
    let others: Vec<String> = others.collect();
    (!others.is_empty()).then(|| {
        format!(
            "the sessions that dumped them had other settings ({}): a table may show as changed because the same values are spelled in another way; --rows compares times and bytes by value",
            others.join("; ")
        )
    })
}

/// Tables whose digests may be equal though their values aren't.
fn reordered(heads: &Heads) -> Option<String> {
    let tables = heads.reordered.iter().map(|(schema, name)| format!("{schema}.{name}"));
    let tables = words::first_of(tables, 5, ", ");
    (!heads.reordered.is_empty()).then(|| format!("these tables have their columns in another order: {tables}"))
}

impl Compared {
    fn of(side: &Side, now: Timestamp) -> Self {
        let entry = &side.entry;
        let (status, age) = (entry.status(now), words::age(entry.age(now)));
        Self {
            id: entry.id.to_string(),
            database: side.database(),
            state: entry.state,
            instant: entry.instant,
            shown: format!("{}, made {age}, {status}", entry.name()),
        }
    }
}

impl fmt::Display for DiffAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "from  {}", self.first.shown)?;
        writeln!(f, "to    {}", self.second.shown)?;
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))?;
        if self.equal {
            writeln!(f, "\nNothing differs{}: {}", self.as_far(), self.equals())?;
        } else {
            self.differing(f)?;
        }
        self.not_compared.iter().try_for_each(|what| writeln!(f, "\nnot compared: {what}"))
    }
}

impl DiffAnswer {
    fn as_far(&self) -> &'static str {
        if self.not_compared.is_empty() { "" } else { " as far as could be compared" }
    }

    fn equals(&self) -> String {
        let tables = self.has_censuses.then(|| words::count(self.equal_tables as u64, "table"));
        let definitions = self.equal_definitions.map(|equal| words::count(equal, "definition"));
        let all: Vec<String> = tables.into_iter().chain(definitions).collect();
        if all.is_empty() { "nothing could be compared".to_owned() } else { format!("{} equal", all.join(" and ")) }
    }

    fn differing(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.tables.is_empty() {
            writeln!(f, "\ntables: {} differ, {} equal", self.tables.len(), self.equal_tables)?;
            let header = ["TABLE", "CHANGE"].map(Column::Left);
            let [table, change] = header;
            let mut shown = Table::new([table, change, Column::Right("ROWS"), Column::Right("BYTES")]);
            self.tables.iter().for_each(|table| shown.row(cells(table)));
            shown.fmt(f)?;
        }
        if let Some(LargeObjects { content, about }) = &self.large_objects {
            writeln!(f, "\nlarge objects:")?;
            if let Some(Contents { before, after }) = content {
                let other = if before == after { ", with other content" } else { "" };
                writeln!(
                    f,
                    "  {}, {}{other}",
                    from_to(before.rows, after.rows, words::grouped),
                    from_to(Some(before.bytes), Some(after.bytes), words::size)
                )?;
            }
            about.iter().try_for_each(|about| writeln!(f, "  {about}"))?;
        }
        if !self.sequences.is_empty() {
            writeln!(f, "\nsequences:")?;
            for Sequence { name, before, after } in &self.sequences {
                let [before, after] = [before, after].map(|value| value.as_deref().unwrap_or("-"));
                writeln!(f, "  {}  {before} → {after}", printable(name))?;
            }
        }
        if !self.definitions.is_empty() {
            let equal = self.equal_definitions.unwrap_or(0);
            writeln!(f, "\ndefinitions: {} differ, {equal} equal", self.definitions.len())?;
            self.definitions.iter().try_for_each(|definition| definition.fmt(f))?;
        }
        Ok(())
    }
}

fn cells(table: &tables::Table) -> [String; 4] {
    let rows = from_to(table.before.and_then(|b| b.rows), table.after.and_then(|a| a.rows), words::grouped);
    let bytes = from_to(table.before.map(|b| b.bytes), table.after.map(|a| a.bytes), words::size);
    [table.shown(), table.change.in_words().to_owned(), rows, bytes]
}

/// `12 → 14`; one of them alone where they read the same.
fn from_to(before: Option<u64>, after: Option<u64>, words: impl Fn(u64) -> String) -> String {
    let [before, after] = [before, after].map(|number| number.map_or_else(|| "-".to_owned(), &words));
    if before == after { before } else { format!("{before} → {after}") }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = printable(&self.name);
        match self.change {
            Change::Added => writeln!(f, "  new      {name}")?,
            Change::Removed => writeln!(f, "  gone     {name}")?,
            Change::Changed => {
                writeln!(f, "  changed  {name}")?;
                self.lines.iter().try_for_each(|line| writeln!(f, "      {}", printable(line)))?;
            }
        }
        self.remarks.iter().try_for_each(|remark| writeln!(f, "      {}", printable(remark)))
    }
}
