//! Counts what a script holds, as a walk through an archive does.

use serde::{Deserialize, Serialize};

use super::super::contents::Content;
use super::super::header::{Format, FormatVersion, Header, InnerCompression};
use super::super::portion::{Kinds, Portion};
use super::super::tally::{Sum, Tally};
use super::super::values::Stop;
use super::event::Event;
use super::reader::{Course, Reader};
use super::statement::{Said, looks_like, raw_table};
use crate::census::{Called, Census, TableCensus};
use crate::charset::Charset;
use crate::damage::Damage;

/// A count of a script, up to where it has been read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::walk) struct PlainCount {
    reader: Reader,
    counted: Counted,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counted {
    census: Census,
    table: Option<(String, String, Tally)>,
    /// What the table is called in the script's character set, where that is something else.
    #[serde(skip)]
    called: Option<Box<Called>>,
    /// Where a place was saved, names are no longer told by it.
    #[serde(skip)]
    charset: Charset,
    large_object: Option<Sum>,
    #[serde(default)]
    kinds: Kinds,
}

impl PlainCount {
    pub(in crate::walk) fn new() -> Self {
        Self { reader: Reader::new(), counted: Counted::default() }
    }

    pub(in crate::walk) fn feed(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        let counted = &mut self.counted;
        self.reader.feed(bytes, &mut |event| counted.take(event))
    }

    /// How much of the script has been read, in bytes.
    pub(in crate::walk) fn position(&self) -> u64 {
        self.reader.position()
    }

    /// Judges the script's end, and says what was counted, and whether it is only a part of a database.
    pub(in crate::walk) fn finish(mut self) -> Result<(Header, Census, Option<Portion>), Damage> {
        let counted = &mut self.counted;
        self.reader.finish(&mut |event| counted.take(event))?;
        let portion = self.counted.kinds.portion();
        Ok((header(self.reader.course()), self.counted.census, portion))
    }
}

impl Counted {
    fn take(&mut self, event: Event<'_>) -> Result<(), Stop> {
        match event {
            Event::Object(heading) => self.kinds.note(&heading.kind),
            Event::Table(schema, name, copy) => {
                self.kinds.note("TABLE DATA");
                let content = if copy.is_some() { Content::Rows } else { Content::Statements };
                self.called = copy.and_then(|copy| self.called(copy, schema, name));
                self.table = Some((schema.to_owned(), name.to_owned(), Tally::of(content, false, None)));
            }
            Event::Rows(rows) => {
                if self.called.is_none()
                    && let Some((schema, name, _)) = self.table.as_ref().filter(|_| self.charset != Charset::Utf8)
                {
                    self.called = self.called(rows, schema, name);
                }
                if let Some((_, _, tally)) = &mut self.table {
                    tally.add(rows)?;
                }
            }
            Event::TableEnd => {
                if let Some((schema, name, tally)) = self.table.take() {
                    let counted = tally.finish()?;
                    let (rows, bytes, sha256) = (counted.rows, counted.bytes, counted.sha256);
                    let called = self.called.take();
                    self.census.tables.push(TableCensus { schema, name, rows, bytes, sha256, called });
                }
            }
            Event::LargeObject(oid) => {
                let mut sum = Sum::default();
                sum.prefix(&oid.to_be_bytes());
                self.large_object = Some(sum);
            }
            Event::Content(bytes) => {
                if let Some(sum) = &mut self.large_object {
                    sum.add(bytes);
                }
            }
            Event::LargeObjectEnd => {
                if let Some(sum) = self.large_object.take() {
                    let (bytes, sha256) = sum.finish();
                    self.census.large_objects.add(bytes, sha256);
                }
            }
            Event::Said(Said::Encoding(encoding)) => {
                self.charset = Charset::of(&encoding).unwrap_or(Charset::Other);
            }
            Event::Sql(_) | Event::Said(_) | Event::LargeObjects | Event::LargeObjectsEnd => {}
        }
        Ok(())
    }
}

impl Counted {
    /// What the table of this COPY or INSERT is called, where it isn't what its bytes are taken for.
    fn called(&self, statement: &[u8], schema: &str, name: &str) -> Option<Box<Called>> {
        let raw = raw_table(statement).filter(|raw| self.charset != Charset::Utf8 && looks_like(raw, schema, name))?;
        let schema = raw.0.as_deref().map_or_else(|| schema.to_owned(), |schema| self.charset.name(schema));
        Some(Box::new(Called { schema, name: self.charset.name(&raw.1) }))
    }
}

/// What a script says of itself, as an archive's header would.
pub(super) fn header(course: &Course) -> Header {
    Header {
        format: if course.cluster { Format::Cluster } else { Format::Plain },
        version: FormatVersion { major: 0, minor: 0, revision: 0 },
        int_size: 0,
        offset_size: 0,
        compression: InnerCompression::None,
        created: String::new(),
        database: course.database.clone().filter(|_| !course.cluster).unwrap_or_default(),
        server_version: course.server_version.clone(),
        pg_dump_version: course.tool_version.clone(),
    }
}
