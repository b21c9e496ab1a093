//! The table of contents entry by entry, each with all of its texts: what two archives are compared by. Nothing is kept.

use super::super::{
    header::HeaderReader,
    values::{Input, Offset, Stop, Values},
};
use super::reader::{Field, dump_id, entry_count};
use crate::Damage;

/// PostgreSQL itself holds no text of more than a gigabyte; of one that is longer than this the rest isn't told.
const LONGEST: usize = 256 << 20;

/// An entry with all that it says. Texts are in the archive's character set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The entry's number in this archive.
    pub dump_id: i32,
    /// What it is: `TABLE`, `TABLE DATA`, `SEQUENCE SET` and so on.
    pub kind: String,
    /// Its schema; empty for what lies in none.
    pub schema: Vec<u8>,
    /// Its name, unquoted; functions have their argument types behind it.
    pub name: Vec<u8>,
    /// The role that owns it; empty for none.
    pub owner: Vec<u8>,
    /// Its tablespace; empty for the database's own.
    pub tablespace: Vec<u8>,
    /// Its table access method; empty for none.
    pub access_method: Vec<u8>,
    /// Its SQL.
    pub definition: Vec<u8>,
    /// The SQL that drops it.
    pub drop_statement: Vec<u8>,
    /// The COPY that fills it.
    pub copy_statement: Vec<u8>,
    /// The archive promises data for it.
    pub has_data: bool,
    /// A text is longer than what was kept of it.
    pub is_cut: bool,
}

/// Reads an archive's head and hands on its entries.
#[derive(Debug)]
pub struct Outliner {
    stage: Stage,
    position: u64,
}

#[derive(Debug)]
enum Stage {
    Header(Box<HeaderReader>),
    Contents(Box<Reader>),
    Done,
}

#[derive(Debug)]
struct Reader {
    minor_version: u8,
    values: Values,
    field: Field,
    left: u64,
    draft: Described,
    has_dumper: bool,
}

impl Default for Outliner {
    fn default() -> Self {
        Self { stage: Stage::Header(Box::new(HeaderReader::new())), position: 0 }
    }
}

impl Outliner {
    /// Whether all entries have been read.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// Reads the dump's next bytes, and hands each entry that ends in them to `take`. What follows the table of contents is passed over.
    ///
    /// # Errors
    /// The damage that makes it unreadable.
    pub fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(Described)) -> Result<(), Damage> {
        let mut input = Input { rest: bytes, position: self.position };
        let read = self.read(&mut input, take);
        self.position = input.position;
        match read {
            Err(Stop::Found(damage)) => Err(damage),
            Err(Stop::Broken(reason)) => Err(Damage::BadContents { offset: self.position, reason: reason.into() }),
            Ok(()) | Err(Stop::Starved) => Ok(()),
        }
    }

    /// All entries have been handed on.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    fn read(&mut self, input: &mut Input<'_>, take: &mut dyn FnMut(Described)) -> Result<(), Stop> {
        loop {
            self.stage = match &mut self.stage {
                Stage::Done => return Ok(()),
                Stage::Header(reader) => {
                    let header = reader.read(input)?;
                    Stage::Contents(Box::new(Reader {
                        minor_version: header.version.minor,
                        values: Values::sized(header.int_size, header.offset_size),
                        field: Field::Count,
                        left: 0,
                        draft: Described::default(),
                        has_dumper: false,
                    }))
                }
                Stage::Contents(reader) => {
                    reader.read(input, take)?;
                    Stage::Done
                }
            };
        }
    }
}

impl Reader {
    fn read(&mut self, input: &mut Input<'_>, take: &mut dyn FnMut(Described)) -> Result<(), Stop> {
        if self.field == Field::Count {
            self.left = entry_count(self.values.int(input)?)?;
            self.field = Field::DumpId;
        }
        while self.left > 0 {
            if self.field == Field::Offset {
                let offset = self.values.offset(input)?;
                let draft = std::mem::take(&mut self.draft);
                take(Described { has_data: self.has_dumper && offset != Offset::NoData, ..draft });
                self.left -= 1;
                self.field = Field::DumpId;
            } else {
                self.read_field(input)?;
                self.field = self.field.next(self.minor_version);
            }
        }
        Ok(())
    }

    fn read_field(&mut self, input: &mut Input<'_>) -> Result<(), Stop> {
        let (values, draft) = (&mut self.values, &mut self.draft);
        let is_cut = &mut draft.is_cut;
        let mut text = || {
            let text = values.text(LONGEST, input)?;
            *is_cut |= text.length.is_some_and(|length| length > LONGEST as u64);
            Ok::<_, Stop>(text.into_bytes())
        };
        match self.field {
            Field::Tag => draft.name = text()?,
            Field::Kind => draft.kind = String::from_utf8_lossy(&text()?).into_owned(),
            Field::Definition => draft.definition = text()?,
            Field::DropStatement => draft.drop_statement = text()?,
            Field::CopyStatement => draft.copy_statement = text()?,
            Field::Schema => draft.schema = text()?,
            Field::Tablespace => draft.tablespace = text()?,
            Field::AccessMethod => draft.access_method = text()?,
            Field::Owner => draft.owner = text()?,
            Field::DumpId => draft.dump_id = dump_id(values.int(input)?)?,
            Field::HasDumper => self.has_dumper = values.int(input)? != 0,
            Field::Section | Field::RelationKind => drop(values.int(input)?),
            // A list of strings that an absent one ends.
            Field::Dependencies => while values.text(0, input)?.length.is_some() {},
            Field::Count | Field::CatalogTable | Field::CatalogOid | Field::WithOids | Field::Offset => {
                values.skip_text(input)?;
            }
        }
        Ok(())
    }
}
