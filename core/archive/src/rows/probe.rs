//! A value that is looked for.

use super::comparison::Comparison;
use super::text::value;

/// The value can't be one of its column's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not {0}")]
pub struct BadValue(&'static str);

/// What is looked for in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// Values that are NULL.
    Null,
    /// All others.
    NotNull,
    /// One value.
    Equal {
        /// How it is compared.
        comparison: Comparison,
        /// The one text for all that are the same value.
        canonical: Vec<u8>,
        /// As it was written.
        written: Vec<u8>,
    },
}

impl Probe {
    /// Looks for this value, in the archive's character set.
    ///
    /// # Errors
    /// [`BadValue`].
    pub fn equal(wanted: &[u8], comparison: Comparison) -> Result<Self, BadValue> {
        let comparison = comparison.for_wanted(wanted);
        let canonical = comparison.canonical(wanted).ok_or(BadValue(comparison.wants()))?;
        Ok(Self::Equal { comparison, canonical: canonical.into_owned(), written: wanted.to_vec() })
    }

    /// Whether a field, as COPY writes it, is what is looked for.
    #[must_use]
    pub fn matches(&self, field: &[u8]) -> bool {
        match (self, value(field)) {
            (Self::Null, found) => found.is_none(),
            (Self::NotNull, found) => found.is_some(),
            (Self::Equal { .. }, None) => false,
            (Self::Equal { comparison, canonical, written }, Some(found)) => match comparison.canonical(&found) {
                Some(found) => *canonical == *found,
                None => *written == *found,
            },
        }
    }

    /// The one text that a value has which is looked for, where an archive has but one.
    #[must_use]
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Equal { comparison, canonical, .. } if comparison.has_one_text() => Some(canonical),
            _ => None,
        }
    }

    /// How it is compared.
    #[must_use]
    pub fn comparison(&self) -> Option<Comparison> {
        match self {
            Self::Equal { comparison, .. } => Some(*comparison),
            Self::Null | Self::NotNull => None,
        }
    }
}
