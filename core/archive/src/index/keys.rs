//! Which field of each table's rows is the first of its key, told from the table of contents.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::charset::Charset;
use crate::walk::{Described, columns};

/// More tables than this have none: what is kept of each takes memory until the contents' end.
const MOST: usize = 100_000;

/// The keys of an archive's tables.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// By the name as pg_dump spells it: the entry with the rows, and the columns of its COPY.
    tables: HashMap<String, (i32, Vec<String>)>,
    fields: HashMap<i32, Key>,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    field: usize,
    is_primary: bool,
}

impl Keys {
    /// Looks at one more entry, in their order.
    pub fn note(&mut self, entry: &Described) {
        match entry.kind.as_str() {
            "TABLE DATA" if self.tables.len() < MOST => {
                let statement = byte_by_byte(&entry.copy_statement);
                let named = statement.strip_prefix("COPY ").and_then(named);
                if let (Some(table), Some(columns)) = (named, columns(&statement)) {
                    self.tables.insert(table.to_owned(), (entry.dump_id, columns));
                }
            }
            "CONSTRAINT" => self.note_constraint(&byte_by_byte(&entry.definition)),
            _ => {}
        }
    }

    /// `ALTER TABLE ONLY schema.table\n    ADD CONSTRAINT name PRIMARY KEY (a, b);`
    fn note_constraint(&mut self, definition: &str) {
        let altered = definition.strip_prefix("ALTER TABLE ").map(|rest| rest.strip_prefix("ONLY ").unwrap_or(rest));
        let Some((table, columns)) =
            altered.and_then(named).and_then(|table| self.tables.get(table).map(|(id, of)| (*id, of)))
        else {
            return;
        };
        let primary = definition.rfind(" PRIMARY KEY (").map(|at| (at + " PRIMARY KEY (".len(), true));
        let Some((begin, is_primary)) =
            primary.or_else(|| Some((definition.rfind(" UNIQUE (")? + " UNIQUE (".len(), false)))
        else {
            return;
        };
        let first = definition.get(begin..).and_then(first_name);
        let Some(field) = first.and_then(|name| columns.iter().position(|column| column == name)) else { return };
        let known = self.fields.get(&table).is_some_and(|known| known.is_primary || !is_primary);
        if !known {
            self.fields.insert(table, Key { field, is_primary });
        }
    }

    /// The field of the rows of this entry, counted from 0.
    pub(super) fn field(&self, id: i32) -> Option<usize> {
        self.fields.get(&id).map(|key| key.field)
    }

    /// The contents have ended: what only told their entries apart is dropped.
    pub fn finish(&mut self) {
        self.tables = HashMap::new();
    }
}

/// Bytes that differ stay different, whatever they mean: the syntax around names is ASCII in every character set of a database.
fn byte_by_byte(bytes: &[u8]) -> Cow<'_, str> {
    Charset::Latin1.text(bytes)
}

/// A qualified name at the beginning, as it is spelled.
fn named(text: &str) -> Option<&str> {
    let mut is_quoted = false;
    let end = text.find(|letter: char| {
        is_quoted ^= letter == '"';
        !is_quoted && (letter.is_whitespace() || letter == '(')
    });
    text.get(..end?)
}

/// The first name of a list, as it is spelled.
fn first_name(text: &str) -> Option<&str> {
    let mut is_quoted = false;
    let end = text.find(|letter: char| {
        is_quoted ^= letter == '"';
        !is_quoted && (letter == ',' || letter == ')')
    });
    Some(text.get(..end?)?.trim())
}
