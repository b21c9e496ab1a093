//! Reading the table of contents, field by field.

use serde::{Deserialize, Serialize};

use crate::census::{Called, Sha256Hex};
use crate::charset::Charset;

use super::{
    super::{
        header::Header,
        tally::Sum,
        values::{Input, Offset, Stop, Text, Values},
    },
    Block, Content, Contents, DEFINED_KINDS, Entry, InTablespace, Place, Places,
};

/// Tags of functions hold their argument types and may be long; of a longer text the rest isn't kept.
const LONGEST_TEXT: usize = 64 << 10;
/// Further kinds whose definition a restore asks for: it tells which tables belong together, what is made of `public`, the
/// numbers of large objects, who is given privileges, and which files a dictionary reads.
const RESTORED_KINDS: [&str; 9] = [
    "ACL",
    "BLOB METADATA",
    "DEFAULT ACL",
    "DOMAIN",
    "FOREIGN TABLE",
    "SCHEMA",
    "TABLE",
    "TABLE ATTACH",
    "TEXT SEARCH DICTIONARY",
];
/// Those of them that name other tables.
const NAMING_KINDS: [&str; 3] = ["FOREIGN TABLE", "TABLE", "TABLE ATTACH"];
/// A table may have 1,600 columns; of a longer definition the rest isn't kept.
const LONGEST_DEFINITION: usize = 1 << 20;

/// Reads a table of contents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::walk) struct ContentsReader {
    minor_version: u8,
    values: Values,
    field: Field,
    entries_left: u64,
    draft: Draft,
    #[serde(default)]
    entries: u64,
    /// Of all bytes but those that say where data lies.
    #[serde(default)]
    sum: Sum,
    /// By the ENCODING entry, which is the first. Where a place was saved behind it, names are no longer told by it.
    #[serde(skip)]
    charset: Charset,
}

/// By what a table of contents is known again, wherever it says that data lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::walk) struct Fingerprint {
    pub(in crate::walk) entries: u64,
    sha256: Sha256Hex,
}

/// The fields of an entry in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Field {
    Count,
    DumpId,
    HasDumper,
    CatalogTable,
    CatalogOid,
    Tag,
    Kind,
    Section,
    Definition,
    DropStatement,
    CopyStatement,
    Schema,
    Tablespace,
    AccessMethod,
    RelationKind,
    Owner,
    WithOids,
    Dependencies,
    Offset,
}

/// The entry being read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Draft {
    dump_id: i32,
    has_dumper: bool,
    tag: String,
    kind: String,
    definition: Option<String>,
    copied: bool,
    #[serde(skip)]
    columns: Option<Vec<String>>,
    schema: String,
    /// What these two are in the archive's character set, where that is something else.
    #[serde(skip)]
    called: (Option<String>, Option<String>),
    owner: String,
    #[serde(default)]
    with_oids: bool,
    #[serde(skip)]
    places: Places,
    #[serde(skip)]
    tablespace: Place,
    #[serde(skip)]
    tablespace_name: String,
}

impl ContentsReader {
    pub(in crate::walk) fn new(header: &Header) -> Self {
        Self {
            minor_version: header.version.minor,
            values: Values::sized(header.int_size, header.offset_size),
            field: Field::Count,
            entries_left: 0,
            draft: Draft::default(),
            entries: 0,
            sum: Sum::default(),
            charset: Charset::default(),
        }
    }

    /// Reads on to the end of the table of contents.
    pub(in crate::walk) fn read(&mut self, contents: &mut Contents, input: &mut Input<'_>) -> Result<(), Stop> {
        self.read_count(input)?;
        let keep = (!contents.essential_only, contents.compares);
        while let Some(entry) = self.read_entry(keep, input)? {
            contents.push(entry)?;
        }
        contents.await_next();
        Ok(())
    }

    /// Reads the number of entries, where it hasn't been read.
    pub(in crate::walk) fn read_count(&mut self, input: &mut Input<'_>) -> Result<u64, Stop> {
        if self.field == Field::Count {
            self.entries_left = entry_count(self.values.int(input)?)?;
            self.entries = self.entries_left;
            self.field = Field::DumpId;
        }
        Ok(self.entries)
    }

    /// The next entry, as much of it as is kept; `None` behind the last.
    pub(in crate::walk) fn read_entry(
        &mut self,
        keep: (bool, bool),
        input: &mut Input<'_>,
    ) -> Result<Option<Entry>, Stop> {
        if self.entries_left == 0 {
            return Ok(None);
        }
        while self.field != Field::Offset {
            let before = input.rest;
            let next = self.read_field(keep, input);
            self.sum.prefix(before.split_at(before.len() - input.rest.len()).0);
            self.field = next?;
        }
        let offset = self.values.offset(input)?;
        let entry = std::mem::take(&mut self.draft).finish(offset)?;
        self.entries_left -= 1;
        self.field = Field::DumpId;
        Ok(Some(entry))
    }

    /// Of what has been read.
    pub(in crate::walk) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { entries: self.entries, sha256: self.sum.clone().finish().1 }
    }

    /// Reads one field and says which follows.
    fn read_field(&mut self, (restores, compares): (bool, bool), input: &mut Input<'_>) -> Result<Field, Stop> {
        let (values, draft, charset) = (&mut self.values, &mut self.draft, self.charset);
        if values.is_between() {
            draft.begin(self.field, input.position);
        }
        let longest = if self.field == Field::Definition { LONGEST_DEFINITION } else { LONGEST_TEXT };
        let mut kept_text = || values.text(longest, input).map(|text| text.lossy());
        let is_kept = |kind: &str| DEFINED_KINDS.contains(&kind) || restores && RESTORED_KINDS.contains(&kind);
        match self.field {
            Field::DumpId => draft.dump_id = dump_id(values.int(input)?)?,
            Field::HasDumper => draft.has_dumper = values.int(input)? != 0,
            Field::Tag => (draft.tag, draft.called.1) = called(charset, values.text(LONGEST_TEXT, input)?),
            Field::Kind => draft.kind = kept_text()?,
            Field::Definition if restores && NAMING_KINDS.contains(&draft.kind.as_str()) => {
                let text = values.text(LONGEST_DEFINITION, input)?.into_bytes();
                draft.definition = Some(charset.text(&text).into_owned());
            }
            Field::Definition if draft.is_the_databases_own() || is_kept(&draft.kind) => {
                let definition = draft.definition.insert(kept_text()?);
                if draft.kind == "ENCODING" {
                    self.charset = Charset::of_entry(definition.as_bytes());
                }
            }
            Field::CopyStatement => {
                let text = values.text(if compares { LONGEST_DEFINITION } else { 0 }, input)?;
                draft.copied = !text.is_empty();
                draft.columns = if compares { columns(&text.lossy()) } else { None };
            }
            Field::Schema => (draft.schema, draft.called.0) = called(charset, values.text(LONGEST_TEXT, input)?),
            Field::Tablespace if restores => draft.tablespace_name = kept_text()?,
            Field::Owner => draft.owner = kept_text()?,
            Field::WithOids => draft.with_oids = kept_text()? == "true",
            Field::Section | Field::RelationKind => drop(values.int(input)?),
            // A list of strings that an absent one ends.
            Field::Dependencies => while values.text(0, input)?.length.is_some() {},
            _ => values.skip_text(input)?,
        }
        draft.end(self.field, input.position);
        Ok(self.field.next(self.minor_version))
    }
}

impl Field {
    pub(super) fn next(self, minor_version: u8) -> Self {
        match self {
            Self::Count | Self::Offset => Self::DumpId,
            Self::DumpId => Self::HasDumper,
            Self::HasDumper => Self::CatalogTable,
            Self::CatalogTable => Self::CatalogOid,
            Self::CatalogOid => Self::Tag,
            Self::Tag => Self::Kind,
            Self::Kind => Self::Section,
            Self::Section => Self::Definition,
            Self::Definition => Self::DropStatement,
            Self::DropStatement => Self::CopyStatement,
            Self::CopyStatement => Self::Schema,
            Self::Schema => Self::Tablespace,
            Self::Tablespace if minor_version >= 14 => Self::AccessMethod,
            Self::AccessMethod if minor_version >= 16 => Self::RelationKind,
            Self::Tablespace | Self::AccessMethod | Self::RelationKind => Self::Owner,
            Self::Owner => Self::WithOids,
            Self::WithOids => Self::Dependencies,
            Self::Dependencies => Self::Offset,
        }
    }
}

/// A name as the census has it, and as the archive's character set has it where that is something else.
fn called(charset: Charset, text: Text) -> (String, Option<String>) {
    let (lossy, bytes) = (text.lossy(), text.into_bytes());
    let other = charset.other_name(&bytes, &lossy);
    (lossy, other)
}

impl Draft {
    fn place(&mut self, field: Field) -> Option<&mut Place> {
        match field {
            Field::Owner => Some(&mut self.places.owner),
            Field::Definition => Some(&mut self.places.definition),
            Field::CatalogOid => Some(&mut self.places.oid),
            Field::CopyStatement => Some(&mut self.places.copy),
            Field::Tablespace => Some(&mut self.tablespace),
            _ => None,
        }
    }

    /// A field begins at this byte of the dump.
    fn begin(&mut self, field: Field, at: u64) {
        if let Some(place) = self.place(field) {
            place.at = at;
        }
    }

    /// A field ends before this byte of the dump.
    fn end(&mut self, field: Field, at: u64) {
        if let Some(place) = self.place(field) {
            place.length = at - place.at;
        }
    }

    /// It says what the database itself was, and not what was in it.
    fn is_the_databases_own(&self) -> bool {
        ["ACL", "COMMENT"].contains(&self.kind.as_str()) && self.tag.starts_with("DATABASE ")
    }

    /// The entry, once its offset, the last field, is known.
    fn finish(self, offset: Offset) -> Result<Entry, Stop> {
        let content = match self.kind.as_str() {
            "BLOBS" => Content::LargeObjects,
            _ if self.copied => Content::Rows,
            _ => Content::Statements,
        };
        let block = match (self.has_dumper, offset) {
            (false, Offset::NoData) => None,
            (true, Offset::NotSet) => {
                Some(Block { content, offset: None, counted: None, end: None, columns: self.columns })
            }
            (true, Offset::At(position)) => {
                Some(Block { content, offset: Some(position), counted: None, end: None, columns: self.columns })
            }
            _ => return Err(format!("entry {} contradicts itself on whether it has data", self.dump_id).into()),
        };
        let tablespace = (!self.tablespace_name.is_empty())
            .then(|| Box::new(InTablespace { name: self.tablespace_name, place: self.tablespace }));
        let called = match self.called {
            (None, None) => None,
            (schema, name) => Some(Box::new(Called {
                schema: schema.unwrap_or_else(|| self.schema.clone()),
                name: name.unwrap_or_else(|| self.tag.clone()),
            })),
        };
        Ok(Entry {
            called,
            tablespace,
            dump_id: self.dump_id,
            kind: self.kind,
            schema: self.schema,
            name: self.tag,
            owner: self.owner,
            definition: self.definition,
            places: self.places,
            with_oids: self.with_oids,
            block,
        })
    }
}

pub(super) fn entry_count(count: i64) -> Result<u64, Stop> {
    u64::try_from(count).map_err(|_| "its number of entries is negative".into())
}

pub(super) fn dump_id(id: i64) -> Result<i32, Stop> {
    i32::try_from(id).ok().filter(|&id| id > 0).ok_or_else(|| format!("an entry's number is {id}").into())
}

/// The columns of `COPY schema.table (a, "b, c") FROM stdin;`, in their quotes; `None` where it names none.
#[must_use]
pub fn columns(statement: &str) -> Option<Vec<String>> {
    let (before, _) = statement.trim_end().rsplit_once(") FROM stdin")?;
    // Within quotes anything may stand: the list begins at the first parenthesis outside of them.
    let mut is_quoted = false;
    let begin = before.char_indices().find(|(_, letter)| {
        is_quoted ^= *letter == '"';
        !is_quoted && *letter == '('
    });
    let list = before.get(begin?.0 + 1..)?;
    let (mut names, mut name) = (Vec::new(), String::new());
    is_quoted = false;
    for letter in list.chars() {
        is_quoted ^= letter == '"';
        match letter {
            ',' if !is_quoted => names.push(std::mem::take(&mut name).trim().to_owned()),
            letter => name.push(letter),
        }
    }
    names.push(name.trim().to_owned());
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_are_read_with_their_quotes() {
        let read = |list: &str| columns(&"COPY \"a (\".b (LIST) FROM stdin;\n".replace("LIST", list)).unwrap();
        assert_eq!(read("a, b"), ["a", "b"]);
        assert_eq!(read("\"a, b\", \"c)\"\"\", d"), ["\"a, b\"", "\"c)\"\"\"", "d"]);
        assert_eq!(columns("COPY a FROM stdin;\n"), None);
    }
}
