//! Picks the rows that were asked for, and prints them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use ::archive::rows::{self, Comparison, CopyStatement, Probe, RowError, Type};
use postgres::words::types::ColumnType;

use crate::answers::failure::{Exit, Failure};
use crate::cli::{Name, Wanted};
use crate::commands::rows::asked::Asked;
use crate::commands::rows::contents::Contents;
use crate::commands::rows::output::{Format, Output};
use crate::commands::rows::table::{Source, Table};

/// Picks and prints rows.
pub(super) struct Picker<'a> {
    output: &'a mut Output,
    contents: &'a Contents,
    /// The names of the printed columns; SQL has each table's own.
    header: Vec<String>,
    plans: BTreeMap<i32, Plan>,
    /// Rows that may still be printed.
    left: u64,
    printed: u64,
    doubts: Vec<String>,
    is_gone: bool,
    line: Vec<u8>,
}

/// What is done with the rows of one table.
pub(super) struct Plan {
    columns: usize,
    /// The fields that are printed, in their order.
    printed: Vec<(usize, Arc<Type>)>,
    /// What a row must have, and where.
    pub(super) probes: Vec<(usize, Probe)>,
    /// What stands before the values of a row in SQL.
    insert: Vec<u8>,
}

/// The columns that a table has in the archive.
struct Known {
    /// Those that its rows have, in their order.
    there: Vec<String>,
    /// All that it was defined with, and their types.
    defined: Vec<(String, ColumnType)>,
}

impl<'a> Picker<'a> {
    /// # Errors
    /// Exit 2 when a column isn't there, or a value can't be one of its column's.
    pub(super) fn new(
        asked: &Asked,
        table: &Table,
        contents: &'a Contents,
        output: &'a mut Output,
    ) -> Result<Self, Failure> {
        let known = Known::of(table, contents);
        let wanted = asked.columns.as_ref();
        let header = match wanted {
            Some(names) => names.iter().map(|name| known.find(name, table)).collect::<Result<_, _>>()?,
            None => known.there.clone(),
        };
        if output.format != Format::Csv {
            refuse_what_is_named_twice(&header)?;
        }
        let probes = asked.conditions.iter().map(|condition| {
            let column = known.find(&condition.column, table)?;
            let probe = probe(&condition.wanted, &column, &known.kind(&column), contents)?;
            Ok((column, probe))
        });
        let probes: Vec<(String, Probe)> = probes.collect::<Result<_, Failure>>()?;
        let all = (wanted.is_none() && output.format == Format::Insert).then_some(());
        let plans = table.sources.iter().filter_map(|source| {
            let columns = if all.is_some() { None } else { Some(header.as_slice()) };
            Some((source.id, Plan::of(source, contents.copies.get(&source.id)?, columns, &probes, contents)))
        });
        let mut plans: BTreeMap<i32, Plan> = plans.collect();
        plans.values_mut().for_each(|plan| plan.end_insert(table.is_identity));
        let left = asked.limit.unwrap_or(u64::MAX);
        let doubts = probes.iter().filter_map(|(column, probe)| doubt(column, probe)).collect();
        Ok(Self { output, contents, header, plans, left, printed: 0, doubts, is_gone: false, line: Vec::new() })
    }

    /// What comes before the rows.
    ///
    /// # Errors
    /// When stdout can't be written to.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.line.clear();
        match self.output.format {
            Format::Json => self.line.extend_from_slice(b"["),
            Format::Insert => {
                self.line.extend(format!("SET client_encoding = '{}';\n", self.contents.encoding).bytes())
            }
            Format::Csv => {
                let is_alone = self.header.len() == 1;
                for (number, name) in self.header.iter().enumerate() {
                    if number > 0 {
                        self.line.push(b',');
                    }
                    rows::csv(Some(name.as_bytes()), is_alone, &mut self.line);
                }
                self.line.push(b'\n');
            }
        }
        self.put()
    }

    /// What comes behind them.
    ///
    /// # Errors
    /// As [`Picker::begin`].
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        self.line.clear();
        if self.output.format == Format::Json {
            self.line.extend_from_slice(if self.printed == 0 { b"]\n" } else { b"\n]\n" });
        }
        self.put()?;
        self.is_gone |= self.output.flush()?.is_break();
        Ok(())
    }

    /// Whether more rows would be printed.
    pub(super) fn wants_more(&self) -> bool {
        self.left > 0 && !self.is_gone
    }

    /// What has been looked for and not found, though it may be there in another spelling.
    pub(super) fn doubts(&self) -> Vec<String> {
        if self.printed > 0 || self.is_gone {
            return Vec::new();
        }
        self.doubts.clone()
    }

    /// What a row of the table with this entry must have, by its field.
    pub(super) fn probes(&self, id: i32) -> &[(usize, Probe)] {
        self.plans.get(&id).map_or(&[], |plan| &plan.probes)
    }

    /// Prints the row, if it was asked for.
    ///
    /// # Errors
    /// When it has other fields than its table; when stdout can't be written to.
    pub(super) fn row(&mut self, id: i32, row: &[u8]) -> Result<ControlFlow<()>, Picked> {
        let Some(plan) = self.plans.get(&id) else { return Ok(ControlFlow::Continue(())) };
        let fields = rows::fields(row, plan.columns)?;
        let field = |number: usize| fields.get(number).copied().unwrap_or(b"\\N");
        if !plan.probes.iter().all(|(number, probe)| probe.matches(field(*number))) {
            return Ok(ControlFlow::Continue(()));
        }
        self.line.clear();
        let values = plan.printed.iter().map(|(number, kind)| (rows::value(field(*number)), kind));
        match self.output.format {
            Format::Csv => {
                let is_alone = plan.printed.len() == 1;
                for (number, (value, _)) in values.enumerate() {
                    if number > 0 {
                        self.line.push(b',');
                    }
                    let value = value.as_deref().map(|value| self.contents.charset.recoded(value));
                    rows::csv(value.as_deref(), is_alone, &mut self.line);
                }
                self.line.push(b'\n');
            }
            Format::Json => {
                self.line.extend_from_slice(if self.printed == 0 { b"\n{" } else { b",\n{" });
                for (number, ((value, kind), name)) in values.zip(&self.header).enumerate() {
                    if number > 0 {
                        self.line.push(b',');
                    }
                    rows::json_text(name, &mut self.line);
                    self.line.push(b':');
                    rows::json(value.as_deref(), kind, self.contents.charset, &mut self.line);
                }
                self.line.push(b'}');
            }
            Format::Insert => {
                self.line.extend_from_slice(&plan.insert);
                for (number, (value, _)) in values.enumerate() {
                    if number > 0 {
                        self.line.extend_from_slice(b", ");
                    }
                    rows::literal(value.as_deref(), &mut self.line);
                }
                self.line.extend_from_slice(if plan.printed.is_empty() { b";\n" } else { b");\n" });
            }
        }
        self.put()?;
        self.printed += 1;
        self.left -= 1;
        Ok(if self.wants_more() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }

    fn put(&mut self) -> Result<(), Failure> {
        self.is_gone |= self.output.put(&self.line)?.is_break();
        Ok(())
    }
}

/// Why a row wasn't printed.
#[derive(Debug)]
pub(super) enum Picked {
    Row(RowError),
    Failed(Failure),
}

impl From<RowError> for Picked {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}

impl From<Failure> for Picked {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Plan {
    /// `columns`: those that are printed; all of the table's own where none are given.
    fn of(
        source: &Source,
        copy: &CopyStatement,
        columns: Option<&[String]>,
        probes: &[(String, Probe)],
        contents: &Contents,
    ) -> Self {
        let names: Vec<String> = copy.columns.iter().map(|name| contents.charset.name(name)).collect();
        let defined = contents.types.columns(&source.schema, &source.name);
        let kind =
            |name: &String| defined.iter().find(|(known, _)| known == name).map(|(_, kind)| Arc::clone(&kind.json));
        let at = |name: &String| names.iter().position(|known| known == name);
        let printed: Vec<(usize, Arc<Type>)> = match columns {
            // A row without the field, as of another child of the same table, shows it as missing.
            Some(columns) => {
                columns.iter().map(|name| (at(name).unwrap_or(usize::MAX), kind(name).unwrap_or_default())).collect()
            }
            None => names.iter().enumerate().map(|(number, name)| (number, kind(name).unwrap_or_default())).collect(),
        };
        let mut insert = b"INSERT INTO ".to_vec();
        if !copy.schema.is_empty() {
            rows::identifier(&copy.schema, &mut insert);
            insert.push(b'.');
        }
        rows::identifier(&copy.table, &mut insert);
        for (number, (field, _)) in printed.iter().enumerate() {
            insert.extend_from_slice(if number == 0 { b" (" } else { b", " });
            rows::identifier(copy.columns.get(*field).map_or(&[], Vec::as_slice), &mut insert);
        }
        let probes = probes.iter().map(|(name, probe)| (at(name).unwrap_or(usize::MAX), probe.clone())).collect();
        Self { columns: names.len(), printed, probes, insert }
    }

    fn end_insert(&mut self, overrides: bool) {
        let end: &[u8] = match (self.printed.is_empty(), overrides) {
            (true, _) => b" DEFAULT VALUES",
            (false, true) => b") OVERRIDING SYSTEM VALUE VALUES (",
            (false, false) => b") VALUES (",
        };
        self.insert.extend_from_slice(end);
    }
}

impl Known {
    fn of(table: &Table, contents: &Contents) -> Self {
        let defined = contents.types.columns(&table.schema, &table.name);
        let copy = |source: &Source| contents.copies.get(&source.id);
        let names = |copy: &CopyStatement| -> Vec<String> {
            copy.columns.iter().map(|name| contents.charset.name(name)).collect()
        };
        let own = table.sources.iter().find(|source| (&source.schema, &source.name) == (&table.schema, &table.name));
        let there = match (own.and_then(copy), table.sources.first().and_then(copy)) {
            (Some(own), _) => names(own),
            // Its partitions have its columns, perhaps in another order.
            (None, Some(first)) => {
                let first = names(first);
                let mut there: Vec<String> =
                    defined.iter().map(|(name, _)| name.clone()).filter(|name| first.contains(name)).collect();
                if there.is_empty() {
                    there = first;
                }
                there
            }
            (None, None) => Vec::new(),
        };
        Self { there, defined }
    }

    /// The column that was typed so: as it is, or in another case.
    fn find(&self, typed: &Name, table: &Table) -> Result<String, Failure> {
        let same = |name: &&String| **name == typed.text;
        let folded = |name: &&String| !typed.quoted && name.to_lowercase() == typed.text.to_lowercase();
        let in_another_case: Vec<&String> = self.there.iter().filter(folded).collect();
        if let Some(name) = self.there.iter().find(same) {
            return Ok(name.clone());
        }
        if let [name] = in_another_case.as_slice() {
            return Ok((*name).clone());
        }
        let (schema, name) = (&table.schema, &table.name);
        if self.defined.iter().any(|(defined, _)| *defined == typed.text) {
            let error =
                format!("column {} of {schema}.{name} is generated, and a backup has no values of it", typed.text);
            return Err(Failure::new(Exit::Usage, error).hint(self.hint()));
        }
        Err(Failure::new(Exit::Usage, format!("{schema}.{name} has no column {}", typed.text)).hint(self.hint()))
    }

    fn hint(&self) -> String {
        format!("it has: {}", self.there.join(", "))
    }

    fn kind(&self, column: &str) -> ColumnType {
        self.defined.iter().find(|(name, _)| name == column).map(|(_, kind)| kind.clone()).unwrap_or_default()
    }
}

/// A column twice has two values in SQL, and one in JSON.
fn refuse_what_is_named_twice(columns: &[String]) -> Result<(), Failure> {
    let again = columns.iter().enumerate().find(|(at, name)| columns.iter().take(*at).any(|before| before == *name));
    match again {
        None => Ok(()),
        Some((_, name)) => Err(Failure::new(Exit::Usage, format!("--columns names {name} twice"))
            .hint("name each column once; only --csv prints one twice")),
    }
}

/// Why a row with this value may be there, though none was found.
fn doubt(column: &str, probe: &Probe) -> Option<String> {
    match probe.comparison()? {
        Comparison::Spelled => Some(format!(
            "no row was found, and values of {column} are compared as they are spelled: write the value exactly as psql shows it, as in what `--limit 1` prints without --where"
        )),
        Comparison::LocalInstant | Comparison::LocalTime => Some(format!(
            "no row was found, and the value for {column} has no time zone, so it was taken for one in the zone that the backup shows: write one behind it, such as +00"
        )),
        _ => None,
    }
}

fn probe(wanted: &Wanted, column: &str, kind: &ColumnType, contents: &Contents) -> Result<Probe, Failure> {
    let value = match wanted {
        Wanted::Null => return Ok(Probe::Null),
        Wanted::NotNull => return Ok(Probe::NotNull),
        Wanted::Value(value) => value,
    };
    if value.len() > 1 && value.starts_with('\'') && value.ends_with('\'') {
        tracing::warn!("the single quotes around the value of {column} are taken for a part of it");
    }
    let bytes = contents.charset.bytes(value).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!("the value for {column} can't be in this backup: its texts are in {}", contents.encoding),
        )
        .hint("leave out what that character set doesn't have")
    })?;
    Probe::equal(&bytes, kind.comparison).map_err(|error| {
        Failure::new(Exit::Usage, format!("--where {column}: {error}")).hint("write it as psql shows it")
    })
}
