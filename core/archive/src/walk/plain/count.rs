//! Counts what a script holds, as a walk through an archive does.

use serde::{Deserialize, Serialize};

use super::super::contents::Content;
use super::super::header::{Format, FormatVersion, Header, InnerCompression};
use super::super::portion::{Kinds, Portion};
use super::super::tally::{Sum, Tally};
use super::super::values::Stop;
use super::event::Event;
use super::reader::{Course, Reader};
use crate::census::{Census, TableCensus};
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
                self.table = Some((schema.to_owned(), name.to_owned(), Tally::of(content, false, None)));
            }
            Event::Rows(rows) => {
                if let Some((_, _, tally)) = &mut self.table {
                    tally.add(rows)?;
                }
            }
            Event::TableEnd => {
                if let Some((schema, name, tally)) = self.table.take() {
                    let counted = tally.finish()?;
                    let (rows, bytes, sha256) = (counted.rows, counted.bytes, counted.sha256);
                    self.census.tables.push(TableCensus { schema, name, rows, bytes, sha256, called: None });
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
            Event::Sql(_) | Event::Said(_) | Event::LargeObjects | Event::LargeObjectsEnd => {}
        }
        Ok(())
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
