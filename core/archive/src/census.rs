//! What reading an archive counts: per table its rows, bytes and content digest, and the same for large objects.
//!
//! Equal censuses prove equal content. Dumping a faithfully restored database gives an equal one as a rule (docs/design.md says when not).

use std::hash::{Hash, Hasher};
use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// One archive's census. Two are equal when the databases they count hold the same content, whatever the large objects'
/// order; tables stand in the archive's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Every table that has data in the archive, in the order of its table of contents.
    pub tables: Vec<TableCensus>,
    /// All large objects together.
    pub large_objects: LargeObjectCensus,
}

/// What was counted of one table's data. What two are `called` tells them apart no more
/// than it did before it was known: verdicts compare what releases without it have counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TableCensus {
    /// The table's schema. Bytes that aren't UTF-8 show as U+FFFD.
    pub schema: String,
    /// The table's name, unquoted. Bytes that aren't UTF-8 show as U+FFFD.
    pub name: String,
    /// Rows of COPY text; `None` for a table dumped as INSERTs, which may hold several rows or a part of one in a line.
    pub rows: Option<u64>,
    /// Bytes of its COPY text up to the end of the last row, or of all its INSERT text.
    pub bytes: u64,
    /// SHA-256 of those bytes.
    pub sha256: Sha256Hex,
    /// What it is called in the archive's own character set, where that isn't what `schema` and `name` say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Box<Called>>,
}

/// What a table is called, told from its bytes by the archive's own character set: no two are called the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Called {
    /// The schema.
    pub schema: String,
    /// The name, unquoted.
    pub name: String,
}

impl PartialEq for TableCensus {
    fn eq(&self, other: &Self) -> bool {
        let all = |table: &Self| (table.rows, table.bytes, table.sha256);
        all(self) == all(other) && self.name == other.name && self.schema == other.schema
    }
}

impl Eq for TableCensus {}

impl Hash for TableCensus {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.schema, &self.name, self.rows, self.bytes, self.sha256).hash(state);
    }
}

impl TableCensus {
    /// Its schema and its name, as it is called.
    #[must_use]
    pub fn names(&self) -> (&str, &str) {
        self.called.as_ref().map_or((&self.schema, &self.name), |called| (&called.schema, &called.name))
    }
}

/// What was counted of all large objects together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeObjectCensus {
    /// How many there are.
    pub count: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// The sum, modulo 2^256, of each object's SHA-256 over its OID (4 bytes, big-endian) followed by its content, each
    /// read as a big-endian number. A sum, because pg_dump orders large objects by owner and privileges since version 17
    /// and doesn't say how before; zero when there are none.
    pub sha256: Sha256Hex,
}

impl Census {
    /// Both with their tables' names as they are called, where both know that: of two that don't, the same table may look like another one.
    #[must_use]
    pub fn alike(first: &Self, second: &Self) -> (Self, Self) {
        let knows = |census: &Self| census.tables.iter().any(|table| table.called.is_some());
        let is_known = knows(first) && knows(second);
        let named = |census: &Self| if is_known { census.as_called() } else { census.clone() };
        (named(first), named(second))
    }

    /// With its tables' names as they are called.
    #[must_use]
    pub fn as_called(&self) -> Self {
        let mut census = self.clone();
        for table in &mut census.tables {
            if let Some(called) = table.called.take() {
                (table.schema, table.name) = (called.schema, called.name);
            }
        }
        census
    }

    /// Rows of all tables whose rows can be counted. A census that came in a file may claim anything: the sum saturates.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().filter_map(|table| table.rows).fold(0, u64::saturating_add)
    }

    /// Rows of all tables; `None` where those of one couldn't be counted. The sum saturates.
    #[must_use]
    pub fn counted_rows(&self) -> Option<u64> {
        self.tables.iter().try_fold(0_u64, |sum, table| Some(sum.saturating_add(table.rows?)))
    }

    /// Bytes of all rows and large objects; the sum saturates.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).fold(self.large_objects.bytes, u64::saturating_add)
    }
}

impl LargeObjectCensus {
    /// Counts one more object.
    pub(crate) fn add(&mut self, bytes: u64, sha256: Sha256Hex) {
        self.count += 1;
        self.bytes += bytes;
        self.sha256.add(sha256);
    }
}

/// A SHA-256, in hexadecimal wherever it is shown or stored.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Sha256Hex(pub [u8; 32]);

impl Sha256Hex {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes one away that was added, or will be.
    pub fn subtract(&mut self, term: Self) {
        // Two's complement: all bits turned, and one more.
        let mut one = Self::default();
        one.0[31] = 1;
        self.add(Self(term.0.map(|byte| !byte)));
        self.add(one);
    }

    /// Adds another one modulo 2^256, each read as a big-endian number: a sum says the same in any order.
    pub fn add(&mut self, term: Self) {
        let mut carry = 0;
        for (sum, term) in self.0.iter_mut().zip(term.0).rev() {
            let digit = u16::from(*sum) + u16::from(term) + carry;
            *sum = digit.to_be_bytes()[1];
            carry = digit >> 8;
        }
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256Hex {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Sha256Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_what_a_file_claims_saturate() {
        let table = TableCensus { rows: Some(u64::MAX), bytes: u64::MAX, ..TableCensus::default() };
        let large_objects = LargeObjectCensus { bytes: 1, ..LargeObjectCensus::default() };
        let census = Census { tables: vec![table.clone(), table], large_objects };
        assert_eq!((census.rows(), census.bytes()), (u64::MAX, u64::MAX));
    }

    #[test]
    fn large_objects_count_the_same_in_any_order() {
        let (high, low) = (Sha256Hex([0xff; 32]), Sha256Hex([0x02; 32]));
        let (mut one, mut other) = (LargeObjectCensus::default(), LargeObjectCensus::default());
        one.add(1, high);
        one.add(2, low);
        other.add(2, low);
        other.add(1, high);
        assert_eq!(one, other);
        let mut expected = [0x02; 32];
        expected[31] = 0x01;
        assert_eq!(one.sha256, Sha256Hex(expected), "carries run from the last byte to the first");
    }

    #[test]
    fn what_was_added_can_be_taken_away() {
        for (sum, term) in [([0xff; 32], [0x02; 32]), ([0; 32], [0xff; 32]), ([7; 32], [0; 32])] {
            let mut changed = Sha256Hex(sum);
            changed.add(Sha256Hex(term));
            changed.subtract(Sha256Hex(term));
            assert_eq!(changed, Sha256Hex(sum));
        }
    }

    #[test]
    fn a_digest_is_hexadecimal_in_json() {
        let digest = Sha256Hex([0xab; 32]);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{}\"", "ab".repeat(32)));
        assert_eq!(serde_json::from_str::<Sha256Hex>(&json).unwrap(), digest);
    }
}
