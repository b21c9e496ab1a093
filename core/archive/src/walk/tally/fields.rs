//! A row's fields, each with its column's name.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::census::Sha256Hex;

/// A row whose fields are digested each with its column's name, and added up: the same whatever the columns' order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    columns: Vec<String>,
    /// The number of the field.
    at: usize,
    field: Option<Sha256>,
    sum: Sha256Hex,
}

impl Fields {
    /// Of these columns; of one that isn't named, by its number.
    pub(super) fn of(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// A part of a row, without its end.
    pub(super) fn add(&mut self, text: &[u8]) {
        for (number, part) in text.split(|byte| *byte == b'\t').enumerate() {
            if number > 0 {
                self.end_field();
            }
            self.add_to_field(part);
        }
    }

    pub(super) fn add_to_field(&mut self, text: &[u8]) {
        self.field().update(text);
    }

    fn field(&mut self) -> &mut Sha256 {
        let at = self.at;
        let name = self.columns.get(at).map_or_else(|| Cow::Owned(at.to_string()), |name| Cow::Borrowed(name.as_str()));
        self.field.get_or_insert_with(|| {
            let mut field = Sha256::new();
            field.update((name.len() as u64).to_be_bytes());
            field.update(name.as_bytes());
            field
        })
    }

    pub(super) fn end_field(&mut self) {
        let field = std::mem::take(self.field()).finalize();
        self.sum.add(Sha256Hex(field.into()));
        self.field = None;
        self.at += 1;
    }

    pub(super) fn end_row(&mut self) -> Sha256Hex {
        self.end_field();
        self.end_fields()
    }

    /// The digest of all fields that have ended; the next row begins.
    pub(super) fn end_fields(&mut self) -> Sha256Hex {
        self.at = 0;
        Sha256Hex(Sha256::digest(std::mem::take(&mut self.sum).0).into())
    }
}
