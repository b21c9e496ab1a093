//! A script's objects as a table of contents: what `pg_restore` would have printed, turned back into what it printed it from.
//!
//! Rows stay where they are; [`repack`](super::repack) brings them in a second reading, in the order that is fixed here.

use std::collections::HashMap;

use super::super::values::Stop;
use super::super::writing::{self, NewEntry, Section};
use super::count;
use super::event::Event;
use super::heading::{Heading, on_one_line};
use super::reader::Reader;
use super::statement::{Said, altered_object, looks_like, raw_table};
use crate::damage::Damage;
use crate::walk::header::Header;

/// Most bytes of all definitions.
const MOST_KEPT: usize = 256 << 20;
/// Kinds that come after the rows.
const AFTERWARDS: [&str; 16] = [
    "CHECK CONSTRAINT",
    "CONSTRAINT",
    "EVENT TRIGGER",
    "FK CONSTRAINT",
    "INDEX",
    "INDEX ATTACH",
    "MATERIALIZED VIEW DATA",
    "POLICY",
    "PUBLICATION",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "ROW SECURITY",
    "RULE",
    "STATISTICS",
    "SUBSCRIPTION",
    "TRIGGER",
];
/// Kinds that are of a table whose name their statements have.
const NAMED: [&str; 3] = ["FOREIGN TABLE", "TABLE", "TABLE ATTACH"];
/// Kinds that belong where they stand.
const ANYWHERE: [&str; 4] = ["ACL", "COMMENT", "DEFAULT ACL", "SECURITY LABEL"];

/// A script's table of contents, and the numbers of the entries with data in the script's order.
#[derive(Clone, Debug)]
pub struct ScriptOutline {
    /// What the script says of itself.
    pub header: Header,
    pub(super) head: Vec<u8>,
    pub(super) blocks: Vec<i32>,
}

/// Reads a script for its outline.
#[derive(Debug)]
pub struct ScriptReader {
    reader: Reader,
    drafts: Drafts,
}

#[derive(Debug, Default)]
struct Drafts {
    entries: Vec<NewEntry>,
    blocks: Vec<i32>,
    tables: HashMap<(Option<String>, String), i32>,
    encoding: Option<String>,
    standard_strings: Option<String>,
    search_path: Option<String>,
    tablespace: Option<String>,
    access_method: Option<String>,
    with_oids: bool,
    /// The entry whose statements come now.
    open: bool,
    section: Option<Section>,
    kept: usize,
}

impl ScriptReader {
    /// Before a script's first byte.
    #[must_use]
    pub fn new() -> Self {
        Self { reader: Reader::new(), drafts: Drafts::default() }
    }

    /// Reads the script's next bytes.
    ///
    /// # Errors
    /// The first thing that is wrong with it, or that cannot be followed.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        let drafts = &mut self.drafts;
        self.reader.feed(bytes, &mut |event| drafts.take(event))
    }

    /// The script ends here.
    ///
    /// # Errors
    /// It isn't whole, or is of a whole server.
    pub fn finish(mut self) -> Result<ScriptOutline, Damage> {
        let drafts = &mut self.drafts;
        self.reader.finish(&mut |event| drafts.take(event))?;
        let course = self.reader.course();
        let offset = self.reader.position();
        if course.cluster {
            let reason = "it is a dump of a whole server (pg_dumpall), and a restore is of one database".to_owned();
            return Err(Damage::ForPsql { offset, reason, server: true, layers: Vec::new() });
        }
        let header = count::header(course);
        let drafts = self.drafts;
        let mut head = Vec::with_capacity(drafts.kept + (1 << 16));
        writing::header(&mut head, &header.database, &header.server_version, &header.pg_dump_version);
        let entries: Vec<NewEntry> = drafts.of_the_session().chain(drafts.entries.iter().cloned()).collect();
        writing::int(&mut head, i32::try_from(entries.len()).unwrap_or(i32::MAX));
        entries.iter().for_each(|entry| writing::entry(&mut head, entry));
        Ok(ScriptOutline { header, head, blocks: drafts.blocks })
    }
}

impl Default for ScriptReader {
    fn default() -> Self {
        Self::new()
    }
}

impl Drafts {
    fn take(&mut self, event: Event<'_>) -> Result<(), Stop> {
        match event {
            Event::Object(heading) => self.object(heading),
            Event::Sql(statement) => self.sql(statement)?,
            Event::Said(said) => self.said(said)?,
            Event::Table(schema, name, copy) => self.table(schema, name, copy),
            Event::LargeObjects => {
                self.data("BLOBS", None, "BLOBS", None);
            }
            _ => {}
        }
        if self.kept > MOST_KEPT {
            let reason = format!("its definitions take more than {} MiB of memory", MOST_KEPT >> 20);
            return Err(Stop::Found(Damage::BeyondLimits { offset: 0, reason }));
        }
        Ok(())
    }

    fn object(&mut self, heading: &Heading) {
        self.open = true;
        let kind = match heading.kind.as_str() {
            // Newer versions have one entry for many, whose numbers a script has in its statements.
            "BLOB METADATA" => "BLOB",
            kind => kind,
        };
        let tag = match heading.name.strip_prefix("LARGE OBJECTS ") {
            Some(numbers) => format!("LARGE OBJECT {numbers}"),
            None => heading.name.clone(),
        };
        let section = self.section_of(kind);
        self.section = self.section.max(Some(section).filter(|section| *section != Section::None));
        let stored = ["TABLE", "MATERIALIZED VIEW"].contains(&kind);
        let placed = stored || ["INDEX", "CONSTRAINT"].contains(&kind);
        let entry = NewEntry {
            section,
            schema: Some(heading.schema.clone()).filter(|schema| !schema.is_empty()),
            tablespace: heading.tablespace.clone().or_else(|| self.tablespace.clone()).filter(|_| placed),
            access_method: self.access_method.clone().filter(|_| stored),
            owner: heading.owner.clone(),
            with_oids: self.with_oids && kind == "TABLE",
            ..self.draft(kind, tag)
        };
        if stored {
            self.tables.insert((entry.schema.clone(), entry.tag.clone()), entry.dump_id);
        }
        self.push(entry);
    }

    fn section_of(&self, kind: &str) -> Section {
        match kind {
            kind if ANYWHERE.contains(&kind) => Section::None,
            "SEQUENCE SET" => Section::Data,
            "BLOB" => Section::Definitions,
            kind if AFTERWARDS.contains(&kind) => Section::Finish,
            _ => match self.section {
                Some(Section::Data | Section::Finish) => Section::Finish,
                _ => Section::Definitions,
            },
        }
    }

    /// What follows the rows follows one after the other: a script doesn't say what depends on what.
    fn draft(&self, kind: &str, tag: String) -> NewEntry {
        let dump_id = i32::try_from(self.entries.len() + 10).unwrap_or(i32::MAX);
        NewEntry {
            dump_id,
            has_data: false,
            tag,
            kind: kind.to_owned(),
            section: Section::None,
            definition: Vec::new(),
            drop: String::new(),
            copy: None,
            schema: None,
            raw: None,
            tablespace: None,
            access_method: None,
            owner: String::new(),
            with_oids: false,
            depends_on: self.entries.last().map(|entry| entry.dump_id),
        }
    }

    fn push(&mut self, entry: NewEntry) {
        self.kept += size_of::<NewEntry>() + entry.tag.len() + entry.copy.as_ref().map_or(0, Vec::len);
        self.entries.push(entry);
    }

    fn sql(&mut self, statement: &[u8]) -> Result<(), Stop> {
        if !self.open {
            let entry = NewEntry {
                section: self.section.unwrap_or(Section::Definitions),
                ..self.draft("SQL", "a statement".to_owned())
            };
            self.push(entry);
            self.open = true;
        }
        self.kept += statement.len();
        if self.entries.last().is_some_and(|entry| entry.kind == "BLOB") {
            return self.large_object(statement);
        }
        let Some(entry) = self.entries.last_mut() else { return Ok(()) };
        let statement = if entry.definition.is_empty() { statement.trim_ascii_start() } else { statement };
        if entry.raw.is_none() && NAMED.contains(&entry.kind.as_str()) {
            let schema = entry.schema.as_deref().unwrap_or_default();
            entry.raw = raw_table(statement).filter(|raw| looks_like(raw, schema, &entry.tag));
        }
        entry.definition.extend(statement);
        Ok(())
    }

    /// `lo_create` of one large object; the next begins the next entry.
    fn large_object(&mut self, statement: &[u8]) -> Result<(), Stop> {
        let text = String::from_utf8_lossy(statement.trim_ascii()).into_owned();
        let oid: u32 =
            text.split('\'').nth(1).and_then(|oid| oid.parse().ok()).ok_or("a large object has no number")?;
        let is_taken = self.entries.last().is_some_and(|entry| !entry.definition.is_empty());
        if is_taken {
            let owner = self.entries.last().map(|entry| entry.owner.clone()).unwrap_or_default();
            let entry = NewEntry { section: Section::Definitions, owner, ..self.draft("BLOB", String::new()) };
            self.push(entry);
        }
        if let Some(entry) = self.entries.last_mut() {
            entry.tag = oid.to_string();
            entry.definition = format!("{text}\n").into_bytes();
            entry.drop = format!("SELECT pg_catalog.lo_unlink('{oid}');\n");
        }
        Ok(())
    }

    fn said(&mut self, said: Said) -> Result<(), Stop> {
        match said {
            Said::Encoding(encoding) => drop(self.encoding.get_or_insert(encoding)),
            Said::StandardStrings(value) => drop(self.standard_strings.get_or_insert(value)),
            Said::SearchPath(statement) => drop(self.search_path.get_or_insert(statement)),
            Said::Tablespace(name) => self.tablespace = Some(name),
            Said::AccessMethod(name) => self.access_method = Some(name),
            Said::WithOids(on) => self.with_oids = on,
            Said::Owner(what, role) => return self.owner(&what, role),
            Said::Nothing => {}
        }
        Ok(())
    }

    /// pg_restore says it again, by the object that DROP would name.
    fn owner(&mut self, what: &str, role: String) -> Result<(), Stop> {
        let Some(entry) = self.entries.last_mut().filter(|_| self.open) else {
            return self.sql(format!("ALTER {what} OWNER TO \"{}\";\n", role.replace('"', "\"\"")).as_bytes());
        };
        entry.owner = role;
        // A heading has a name on one line, whatever is in it.
        if let Some((schema, name)) = altered_object(what).filter(|(_, name)| on_one_line(name) == entry.tag) {
            (entry.schema, entry.tag) = (schema.or(entry.schema.take()), name);
        }
        if entry.kind != "BLOB" {
            entry.drop = format!("DROP {what};\n");
        }
        Ok(())
    }

    fn table(&mut self, schema: &str, name: &str, copy: Option<&[u8]>) {
        let raw = copy.and_then(raw_table).filter(|raw| looks_like(raw, schema, name));
        let copy = copy.map(|statement| [statement.trim_ascii(), b"\n"].concat());
        self.data("TABLE DATA", Some(schema.to_owned()).filter(|schema| !schema.is_empty()), name, copy);
        if let Some(entry) = self.entries.last_mut() {
            entry.raw = raw;
        }
    }

    fn data(&mut self, kind: &str, schema: Option<String>, name: &str, copy: Option<Vec<u8>>) {
        self.open = false;
        self.section = self.section.max(Some(Section::Data));
        let depends_on = self.tables.get(&(schema.clone(), name.to_owned())).copied();
        let draft = self.draft(kind, name.to_owned());
        let entry = NewEntry { has_data: true, section: Section::Data, schema, copy, depends_on, ..draft };
        self.blocks.push(entry.dump_id);
        self.push(entry);
    }

    /// What every archive begins with.
    fn of_the_session(&self) -> impl Iterator<Item = NewEntry> + use<> {
        let strings = self.standard_strings.as_deref().unwrap_or("on");
        let statements = [
            ("ENCODING", self.encoding.as_ref().map(|encoding| format!("SET client_encoding = '{encoding}';\n"))),
            ("STDSTRINGS", Some(format!("SET standard_conforming_strings = '{strings}';\n"))),
            ("SEARCHPATH", self.search_path.clone()),
        ];
        let first = Self::default();
        let entries = (1..).zip(statements).filter_map(move |(dump_id, (kind, statement))| {
            let draft = first.draft(kind, kind.to_owned());
            Some(NewEntry { dump_id, section: Section::Definitions, definition: statement?.into_bytes(), ..draft })
        });
        entries.collect::<Vec<_>>().into_iter()
    }
}
