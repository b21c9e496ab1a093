//! The table of contents of an archive, as far as rows need it.

use std::collections::{BTreeMap, BTreeSet};

use ::archive::rows::CopyStatement;
use ::archive::{Charset, Damage, Described, Entry, Outliner, Walk};
use postgres::words::columns;
use postgres::words::types::Types;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::head;

/// What an archive says of its tables before their rows.
pub(super) struct Contents {
    /// Its entries, in their order.
    pub(super) entries: Vec<Entry>,
    pub(super) types: Types,
    /// By the entry with the rows. Those that are missing weren't dumped by COPY.
    pub(super) copies: BTreeMap<i32, CopyStatement>,
    /// The tables with a column that is GENERATED ALWAYS AS IDENTITY.
    pub(super) identities: BTreeSet<(String, String)>,
    /// The character set of its texts, as PostgreSQL calls it.
    pub(super) encoding: String,
    pub(super) charset: Charset,
    /// Bytes of an integer in it, without its sign.
    pub(super) int_size: u8,
}

/// Reads an archive's head, fed with bytes.
pub(super) struct ContentsReader {
    walk: Walk,
    outliner: Outliner,
    described: Vec<Described>,
}

impl ContentsReader {
    pub(super) fn new() -> Self {
        Self { walk: Walk::new(), outliner: Outliner::default(), described: Vec::new() }
    }

    /// Reads on; true once the contents have ended.
    ///
    /// # Errors
    /// The damage that makes them unreadable.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<bool, Damage> {
        let described = &mut self.described;
        self.outliner.feed(bytes, &mut |entry| {
            if ["TABLE", "FOREIGN TABLE", "TYPE", "DOMAIN", "TABLE DATA", "SEQUENCE"].contains(&entry.kind.as_str()) {
                described.push(entry);
            }
        })?;
        self.walk.feed(bytes)?;
        Ok(self.walk.contents().is_some())
    }

    /// The damage of an archive that ends in its head.
    pub(super) fn ends_early(self) -> Damage {
        let position = self.walk.position();
        let within = "the table of contents".to_owned();
        self.walk.finish().err().unwrap_or(Damage::Truncated { offset: position, within })
    }

    /// What was read; `place` is what messages call the archive.
    ///
    /// # Errors
    /// When its character set is none of a database.
    pub(super) fn finish(self, place: &str) -> Result<Contents, Failure> {
        let entries = self.walk.contents().unwrap_or_default().to_vec();
        let encoding = head::encoding(&entries).to_owned();
        let charset = Charset::of(&encoding).map_err(|error| {
            Failure::new(Exit::Failed, format!("the rows of {place} can't be read one by one: {error} ({encoding})"))
                .hint("restore the table instead: lastgood restore ID --table NAME --into DATABASE")
        })?;
        let mut contents = Contents {
            entries,
            types: Types::default(),
            copies: BTreeMap::new(),
            identities: BTreeSet::new(),
            encoding,
            charset,
            int_size: self.walk.header().map_or(4, |header| header.int_size),
        };
        self.described.into_iter().for_each(|entry| contents.note(&entry));
        Ok(contents)
    }
}

impl Contents {
    fn note(&mut self, entry: &Described) {
        let text = |bytes: &[u8]| self.charset.text(bytes).into_owned();
        match entry.kind.as_str() {
            "TABLE DATA" => {
                self.copies.extend(CopyStatement::parse(&entry.copy_statement).map(|copy| (entry.dump_id, copy)));
            }
            "SEQUENCE" => self.identities.extend(columns::identity_always(&text(&entry.definition))),
            // By their names as the entries have them.
            kind => {
                let [schema, name] = [&entry.schema, &entry.name].map(|name| self.charset.name(name));
                self.types.note(kind, &schema, &name, &text(&entry.definition));
            }
        }
    }
}
