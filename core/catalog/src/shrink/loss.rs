//! What one table has lost.

use serde::{Deserialize, Serialize};

use crate::words;

/// What one table has lost, or several whose names differ in numbers alone, or the large objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// The schema; null for large objects.
    pub schema: Option<String>,
    /// The table's name, with `#` in the place of numbers where it stands for several; null for large objects.
    pub name: Option<String>,
    /// Rows that it had; bytes, where they were dumped as INSERTs; how many large objects.
    pub before: u64,
    /// Those that it has; null where the table is gone.
    pub after: Option<u64>,
    /// Whether the two numbers are bytes.
    #[serde(default)]
    pub in_bytes: bool,
}

impl Loss {
    /// What it is called.
    #[must_use]
    pub fn subject(&self) -> String {
        match (&self.schema, &self.name) {
            (Some(schema), Some(name)) if name.contains('#') => format!("the tables {schema}.{name} together"),
            (Some(schema), Some(name)) => format!("table {schema}.{name}"),
            _ => "the database".to_owned(),
        }
    }

    /// In words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let amount = |number: u64| match (self.in_bytes, self.name.is_some()) {
            (true, _) => words::size(number),
            (false, true) => words::count(number, "row"),
            (false, false) => words::count(number, "large object"),
        };
        let (subject, before) = (self.subject(), amount(self.before));
        let is_many = subject.ends_with(" together");
        match self.after {
            None if is_many => format!("{subject} are gone, with {before}"),
            None => format!("{subject} is gone, with {before}"),
            Some(after) if is_many => format!("{subject} have {}, where they had {before}", amount(after)),
            Some(after) => format!("{subject} has {}, where it had {before}", amount(after)),
        }
    }
}
