//! Marking the tables of a dump, and the parts of those that are large, as it goes by.

use memchr::memchr;

use super::keys::Keys;
use super::zone::{Bound, Zone};
use super::{KeyMarks, Part, TableMarks};
use crate::rows::{field, unescaped};
use crate::walk::Observer;

/// Bytes of the dump in one part at first.
const STEP: u64 = 2 << 20;
/// The most parts of all tables together. When there are more, two become one, and parts are twice as long from then on.
const MOST: usize = 1 << 14;
/// Most bytes that are kept of a row to find its key in.
const LONGEST: usize = 64 << 10;
/// The line that ends the rows.
const END: &[u8] = b"\\.";

/// Looks at the rows of a dump while a walk reads it.
#[derive(Debug)]
pub struct Marker {
    keys: Keys,
    step: u64,
    parts: usize,
    tables: Vec<TableMarks>,
    table: Option<Table>,
}

/// The table whose rows go by.
#[derive(Debug)]
struct Table {
    marks: TableMarks,
    rows: Option<Rows>,
}

/// Where in its rows the text so far ends.
#[derive(Debug)]
struct Rows {
    field: usize,
    parts: Vec<Part>,
    /// Where the current part begins.
    at: u64,
    chunk: u64,
    zone: Zone,
    /// The beginning of a row whose end hasn't come.
    partial: Vec<u8>,
    /// More of it has come than was kept.
    is_cut: bool,
    /// The line that ends the rows has come.
    ended: bool,
}

impl Default for Marker {
    fn default() -> Self {
        Self::new()
    }
}

impl Marker {
    /// Knows no keys yet.
    #[must_use]
    pub fn new() -> Self {
        Self { keys: Keys::default(), step: STEP, parts: 0, tables: Vec::new(), table: None }
    }

    /// The keys, to note more of them.
    pub fn keys(&mut self) -> &mut Keys {
        &mut self.keys
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Vec<TableMarks> {
        self.tables
    }

    /// Where there are too many parts, two become one.
    fn make_room(&mut self) {
        if self.parts < MOST {
            return;
        }
        self.step *= 2;
        let closed = self.tables.iter_mut().filter_map(|table| Some(&mut table.key.as_mut()?.parts));
        let current = self.table.iter_mut().filter_map(|table| Some(&mut table.rows.as_mut()?.parts));
        self.parts = 0;
        for parts in closed.chain(current) {
            *parts = parts.chunks(2).map(joined).collect();
            self.parts += parts.len();
        }
    }
}

impl Observer for Marker {
    fn begin(&mut self, dump_id: i32, at: u64) {
        let rows = self.keys.field(dump_id).map(|field| Rows {
            field,
            parts: Vec::new(),
            at,
            chunk: at,
            zone: Zone::default(),
            partial: Vec::new(),
            is_cut: false,
            ended: false,
        });
        self.table = Some(Table { marks: TableMarks { id: dump_id, at, end: at, key: None }, rows });
    }

    fn text(&mut self, chunk: u64, text: &[u8]) {
        let Some(rows) = self.table.as_mut().and_then(|table| table.rows.as_mut()) else { return };
        let ended = rows.enter(chunk, self.step);
        rows.read(text);
        if ended {
            self.parts += 1;
            self.make_room();
        }
    }

    fn end(&mut self, at: u64) {
        let Some(Table { marks, rows }) = self.table.take() else { return };
        let key = rows.and_then(|mut rows| {
            rows.end_part(at);
            let Rows { field, parts, .. } = rows;
            // One part tells no more than the table itself.
            (parts.len() > 1).then_some(KeyMarks { field, parts })
        });
        self.parts += usize::from(key.is_some());
        self.tables.push(TableMarks { end: at, key, ..marks });
    }
}

impl Rows {
    /// A piece of the chunk that begins at `chunk` follows. True where a part has ended before it: one that is long enough, where a
    /// chunk begins with a row.
    fn enter(&mut self, chunk: u64, step: u64) -> bool {
        let begins = chunk != self.chunk && self.partial.is_empty() && !self.is_cut;
        self.chunk = chunk;
        let ends = begins && chunk - self.at >= step;
        if ends {
            self.end_part(chunk);
        }
        ends
    }

    fn end_part(&mut self, next: u64) {
        let (from, to) = self.zone.take();
        self.parts.push(Part { at: self.at, from, to });
        self.at = next;
    }

    fn read(&mut self, mut text: &[u8]) {
        while let Some(end) = memchr(b'\n', text) {
            let (line, rest) = text.split_at(end);
            text = rest.split_first().map_or(&[], |(_, rest)| rest);
            if self.partial.is_empty() && !self.is_cut {
                self.ended |= line == END;
                if !self.ended {
                    see(&mut self.zone, line, self.field, false);
                }
                continue;
            }
            self.keep(line);
            self.ended |= self.partial == END;
            if !self.ended {
                see(&mut self.zone, &self.partial, self.field, self.is_cut);
            }
            self.partial.clear();
            self.is_cut = false;
        }
        self.keep(text);
    }

    fn keep(&mut self, part: &[u8]) {
        let room = LONGEST.saturating_sub(self.partial.len());
        self.is_cut |= part.len() > room;
        self.partial.extend(part.iter().take(room));
    }
}

/// Looks at a row, or at its beginning.
fn see(zone: &mut Zone, row: &[u8], number: usize, is_cut: bool) {
    match field(row, number) {
        // Of what was cut, the last field may lack its end.
        Some(_) if is_cut && field(row, number + 1).is_none() => zone.see(None),
        Some(b"\\N") => {}
        Some(key) => zone.see(Some(unescaped(key))),
        None => zone.see(None),
    }
}

fn joined(parts: &[Part]) -> Part {
    let [first, second] = parts else { return parts.first().cloned().unwrap_or_default() };
    let from = lower(first.from.as_ref(), second.from.as_ref());
    let to = higher(first.to.as_ref(), second.to.as_ref());
    Part { at: first.at, from, to }
}

fn lower(one: Option<&Bound>, other: Option<&Bound>) -> Option<Bound> {
    match (one?, other?) {
        (Bound::Number(one), Bound::Number(other)) => Some(Bound::Number(*one.min(other))),
        (Bound::Text(one), Bound::Text(other)) => Some(Bound::Text(one.min(other).clone())),
        _ => None,
    }
}

fn higher(one: Option<&Bound>, other: Option<&Bound>) -> Option<Bound> {
    match (one?, other?) {
        (Bound::Number(one), Bound::Number(other)) => Some(Bound::Number(*one.max(other))),
        (Bound::Text(one), Bound::Text(other)) => Some(Bound::Text(one.max(other).clone())),
        _ => None,
    }
}
