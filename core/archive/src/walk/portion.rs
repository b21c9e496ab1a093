//! What of a database a dump holds, told by the kinds of its entries.

use serde::{Deserialize, Serialize};

/// Kinds that rows can be put into, or that stand around those.
const DEFINITIONS: [&str; 7] =
    ["TABLE", "SCHEMA", "EXTENSION", "SEQUENCE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE"];
/// Kinds that need tables with their rows.
const FINISHES: [&str; 4] = ["INDEX", "CONSTRAINT", "FK CONSTRAINT", "TRIGGER"];

/// Which kinds of entries a dump has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kinds {
    tables: bool,
    defines: bool,
    rows: bool,
    values: bool,
    finishes: bool,
}

/// A part of a database, from which alone none can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Portion {
    /// Rows, and no tables to put them into: `--data-only`, `--section=data`.
    Rows,
    /// Tables, and the rows of none: `--schema-only`, `--section=pre-data`.
    Definitions,
    /// Indexes and constraints of tables that it lacks: `--section=post-data`.
    Finish,
}

impl Kinds {
    /// Notes one entry.
    pub(super) fn note(&mut self, kind: &str) {
        self.tables |= kind == "TABLE";
        self.defines |= DEFINITIONS.contains(&kind);
        self.rows |= kind == "TABLE DATA";
        self.values |= kind == "SEQUENCE SET";
        self.finishes |= FINISHES.contains(&kind);
    }

    /// Those of both.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            tables: self.tables | other.tables,
            defines: self.defines | other.defines,
            rows: self.rows | other.rows,
            values: self.values | other.values,
            finishes: self.finishes | other.finishes,
        }
    }

    /// The part that it is, if it isn't all of a database.
    pub(super) fn portion(self) -> Option<Portion> {
        match self {
            Self { defines: false, rows, values, .. } if rows || values => Some(Portion::Rows),
            Self { defines: false, finishes: true, .. } => Some(Portion::Finish),
            Self { tables: true, rows: false, .. } => Some(Portion::Definitions),
            _ => None,
        }
    }
}

impl Portion {
    /// The part that a dump with entries of these kinds is; `None`: all of a database, as far as that shows. A table that is only parted into
    /// others has no rows of its own: of a database with nothing else `Definitions` is said, too.
    #[must_use]
    pub fn of<'a>(kinds: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut all = Kinds::default();
        kinds.into_iter().for_each(|kind| all.note(kind));
        all.portion()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_told_by_what_is_missing() {
        let table: [(&[&str], Option<Portion>); 8] = [
            (&[], None),
            (&["EXTENSION"], None),
            (&["TABLE", "TABLE DATA", "INDEX"], None),
            (&["VIEW", "FUNCTION"], None),
            (&["TABLE", "INDEX", "SEQUENCE SET"], Some(Portion::Definitions)),
            (&["TABLE DATA", "SEQUENCE SET"], Some(Portion::Rows)),
            (&["SEQUENCE SET"], Some(Portion::Rows)),
            (&["INDEX", "CONSTRAINT"], Some(Portion::Finish)),
        ];
        for (kinds, part) in table {
            assert_eq!(Portion::of(kinds.iter().copied()), part, "{kinds:?}");
        }
    }
}
