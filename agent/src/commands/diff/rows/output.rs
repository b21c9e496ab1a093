//! Rows that differ, as they are found: lines for a person, elements of one list for a program. Nothing is kept of them.

use catalog::words;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answers::failure::Failure;
use crate::answers::report::{Report, print, printable};
use crate::commands::diff::rows::plan::Plan;
use crate::commands::diff::rows::values::{shown, value};

/// Text that is gathered before it is printed.
const BLOCK: usize = 64 << 10;

/// Where rows are printed.
pub(super) struct Output {
    report: Report,
    limit: u64,
    text: String,
    is_first: bool,
    counts: Counts,
    all: Vec<Counted>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    added: u64,
    removed: u64,
    changed: u64,
    shown: u64,
}

/// What came of one table.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counted {
    schema: String,
    name: String,
    /// The columns of the primary key; empty where there is none, and rows were counted as they are.
    key: Vec<String>,
    added: u64,
    removed: u64,
    changed: u64,
    /// Columns that only one backup has, which were not compared.
    other_columns: Vec<String>,
    /// Why its rows were not compared; null where they were.
    not_compared: Option<String>,
}

impl Output {
    pub(super) fn new(report: Report, limit: u64) -> Self {
        Self { report, limit, text: String::new(), is_first: true, counts: Counts::default(), all: Vec::new() }
    }

    /// A table begins.
    pub(super) fn begin(&mut self, plan: &Plan) -> Result<(), Failure> {
        self.counts = Counts::default();
        if self.report.json {
            return Ok(());
        }
        let by = &plan.by;
        let table = format!("{}.{}", plan.schema, plan.name);
        match &plan.obstacle {
            Some(obstacle) => self.line(&format!("\nrows of {table}: not compared: {obstacle}"))?,
            None => self.line(&format!("\nrows of {table}, {by}:"))?,
        }
        if !plan.others.is_empty() {
            self.line(&format!("  not compared, because only one backup has them: {}", plan.others.join(", ")))?;
        }
        Ok(())
    }

    pub(super) fn added(&mut self, plan: &Plan, row: &[u8]) -> Result<(), Failure> {
        self.counts.added += 1;
        self.one(plan, ("added", '+'), None, Some(row))
    }

    pub(super) fn removed(&mut self, plan: &Plan, row: &[u8]) -> Result<(), Failure> {
        self.counts.removed += 1;
        self.one(plan, ("removed", '-'), Some(row), None)
    }

    pub(super) fn changed(&mut self, plan: &Plan, before: &[u8], after: &[u8]) -> Result<(), Failure> {
        self.counts.changed += 1;
        self.one(plan, ("changed", '~'), Some(before), Some(after))
    }

    fn one(
        &mut self,
        plan: &Plan,
        (change, sign): (&str, char),
        before: Option<&[u8]>,
        after: Option<&[u8]>,
    ) -> Result<(), Failure> {
        if self.counts.shown == self.limit {
            return Ok(());
        }
        self.counts.shown += 1;
        if self.report.json {
            let row = document(plan, change, before, after);
            let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
            return self.line(&format!("{comma}    {row}"));
        }
        self.line(&format!("  {sign} {}", printable(&in_words(plan, before, after))))
    }

    /// A table ends; whether any of its rows differ, or could not be compared.
    pub(super) fn end(&mut self, plan: &Plan) -> Result<bool, Failure> {
        let Counts { added, removed, changed, shown } = self.counts;
        let all = added + removed + changed;
        self.all.push(Counted {
            schema: plan.schema.clone(),
            name: plan.name.clone(),
            key: plan.columns.get(..plan.key).unwrap_or_default().to_vec(),
            added,
            removed,
            changed,
            other_columns: plan.others.clone(),
            not_compared: plan.obstacle.clone(),
        });
        if !self.report.json && plan.is_comparable() {
            let more = if all > shown { format!("; {} not shown", words::grouped(all - shown)) } else { String::new() };
            let [added, removed, changed] = [added, removed, changed].map(words::grouped);
            match all {
                0 if !plan.others.is_empty() => self.line("  the same values in the columns that both have")?,
                0 if plan.is_reordered => self.line("  the same rows, with their columns in another order")?,
                0 if plan.may_be_respelled() => self.line("  the same rows, if in another order or spelling")?,
                0 => self.line("  the same rows, if in another order")?,
                _ => self.line(&format!("  {added} added, {removed} removed, {changed} changed{more}"))?,
            }
        }
        Ok(all > 0 || plan.obstacle.is_some() || !plan.others.is_empty())
    }

    /// A table that was asked for, and is equal by its digest.
    pub(super) fn same(&mut self, (schema, name): &(String, String)) -> Result<(), Failure> {
        self.all.push(Counted {
            schema: schema.clone(),
            name: name.clone(),
            key: Vec::new(),
            added: 0,
            removed: 0,
            changed: 0,
            other_columns: Vec::new(),
            not_compared: None,
        });
        match self.report.json {
            true => Ok(()),
            false => self.line(&format!("\nrows of {schema}.{name}: the same in both backups")),
        }
    }

    /// All tables have ended.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        if self.report.json {
            let counts = serde_json::to_string(&self.all).unwrap_or_else(|_| "[]".to_owned());
            self.line(&format!("  ],\n  \"rowCounts\": {counts}\n}}"))?;
        }
        self.flush()
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        if self.text.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.text.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.text);
        print(&text)
    }
}

/// The fields of a row of a temporary file.
pub(super) fn fields(row: &[u8]) -> impl Iterator<Item = &[u8]> {
    row.strip_suffix(b"\n").unwrap_or(row).split(|byte| *byte == b'\t')
}

/// The columns and their values that are told: the key, and those that differ, or all of a row that stands alone.
fn in_words(plan: &Plan, before: Option<&[u8]>, after: Option<&[u8]>) -> String {
    let told = |row: &[u8]| {
        let all = plan.columns.iter().zip(fields(row)).map(|(column, field)| format!("{column}={}", shown(field)));
        all.collect::<Vec<_>>().join(" ")
    };
    match (before, after) {
        (Some(before), Some(after)) => {
            let key = plan.columns.iter().zip(fields(after)).take(plan.key);
            let key = key.map(|(column, field)| format!("{column}={}", shown(field)));
            let both = plan.columns.iter().zip(fields(before).zip(fields(after)));
            let differing = both.enumerate().filter(|(at, (_, (before, after)))| !plan.is_same(*at, before, after));
            let differing = differing
                .map(|(_, (column, (before, after)))| format!("{column}: {} → {}", shown(before), shown(after)));
            let (key, differing): (Vec<String>, Vec<String>) = (key.collect(), differing.collect());
            format!("{}  {}", key.join(" "), differing.join(", "))
        }
        (Some(row), None) | (None, Some(row)) => told(row),
        (None, None) => String::new(),
    }
}

fn document(plan: &Plan, change: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> Value {
    let is_told = |place: usize| match (before, after) {
        (Some(before), Some(after)) => match (fields(before).nth(place), fields(after).nth(place)) {
            (Some(before), Some(after)) => !plan.is_same(place, before, after),
            _ => false,
        },
        _ => true,
    };
    let named = |row: &[u8], is_told: &dyn Fn(usize) -> bool| -> Value {
        let all = plan.columns.iter().zip(fields(row)).enumerate().filter(|(place, _)| is_told(*place));
        let all =
            all.map(|(_, (column, field))| (column.clone(), value(field).map_or(Value::Null, |value| json!(value))));
        Value::Object(all.collect::<Map<_, _>>())
    };
    let key = after.or(before).map(|row| named(row, &|place| place < plan.key));
    json!({
        "schema": plan.schema, "table": plan.name, "change": change, "key": key,
        "before": before.map(|row| named(row, &is_told)), "after": after.map(|row| named(row, &is_told)),
    })
}
