//! Versioned JSON documents. `version` comes first and counts majors: a newer one is refused, because what it means
//! can't be guessed. Fields this version doesn't know are kept, at every level, when a document is written again.

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The fields of a document that this version of Lastgood doesn't know; empty for a new document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown(Value);

/// Why a document cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It isn't JSON, or lacks a field, or a field is of the wrong kind.
    #[error("not a {what}: {source}")]
    Malformed {
        /// The kind of document: `manifest`, `verdict` …
        what: &'static str,
        /// The place in the JSON and what is wrong there.
        source: serde_json::Error,
    },
    /// It has no version that is a positive whole number.
    #[error("not a {what}: it has no version")]
    NoVersion {
        /// The kind of document: `manifest`, `verdict` …
        what: &'static str,
    },
    /// It is of a later version.
    #[error("written by a newer lastgood ({what} version {version})")]
    Newer {
        /// The kind of document: `manifest`, `verdict` …
        what: &'static str,
        /// The version it has.
        version: u64,
    },
}

impl DocumentError {
    /// Whether the document is broken, and not only too new for this program.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !matches!(self, Self::Newer { .. })
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "upgrade lastgood on this machine",
            Self::Malformed { .. } | Self::NoVersion { .. } => {
                "it was changed or cut outside lastgood: put back the file that was there, or use another backup"
            }
        }
    }
}

/// A kind of document.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) what: &'static str,
    pub(crate) version: u64,
}

impl Kind {
    pub(crate) fn read<T: DeserializeOwned + Serialize>(self, json: &[u8]) -> Result<(T, Unknown), DocumentError> {
        let what = self.what;
        let malformed = |source| DocumentError::Malformed { what, source };
        let whole: Value = serde_json::from_slice(json).map_err(malformed)?;
        match whole.get("version").and_then(Value::as_u64) {
            None | Some(0) => return Err(DocumentError::NoVersion { what }),
            Some(version) if version > self.version => return Err(DocumentError::Newer { what, version }),
            Some(_) => {}
        }
        let known: T = serde_json::from_value(whole.clone()).map_err(malformed)?;
        let written = self.versioned(&known).map_err(malformed)?;
        Ok((known, Unknown(beyond(whole, &written).unwrap_or_default())))
    }

    /// Pretty-printed, its fields in the order they are declared in, with a final newline.
    pub(crate) fn write<T: Serialize>(self, known: &T, unknown: &Unknown) -> Result<Vec<u8>, DocumentError> {
        let malformed = |source| DocumentError::Malformed { what: self.what, source };
        let mut whole = self.versioned(known).map_err(malformed)?;
        add(&mut whole, &unknown.0);
        let mut json = serde_json::to_vec_pretty(&whole).map_err(malformed)?;
        json.push(b'\n');
        Ok(json)
    }

    /// As [`Kind::write`], on one line.
    pub(crate) fn write_short<T: Serialize>(self, known: &T, unknown: &Unknown) -> Result<Vec<u8>, DocumentError> {
        let malformed = |source| DocumentError::Malformed { what: self.what, source };
        let mut whole = self.versioned(known).map_err(malformed)?;
        add(&mut whole, &unknown.0);
        serde_json::to_vec(&whole).map_err(malformed)
    }

    fn versioned<T: Serialize>(self, known: &T) -> Result<Value, serde_json::Error> {
        let mut document = Map::from_iter([("version".to_owned(), Value::from(self.version))]);
        if let Value::Object(fields) = serde_json::to_value(known)? {
            document.extend(fields);
        }
        Ok(Value::Object(document))
    }
}

/// What `whole` has and `known` doesn't. Lists are compared place by place; null stands for "nothing beyond".
fn beyond(whole: Value, known: &Value) -> Option<Value> {
    match (whole, known) {
        (Value::Object(whole), Value::Object(known)) => {
            let rest = whole.into_iter().filter_map(|(name, value)| match known.get(&name) {
                Some(known) => Some((name, beyond(value, known)?)),
                None => Some((name, value)),
            });
            let rest: Map<_, _> = rest.collect();
            (!rest.is_empty()).then_some(Value::Object(rest))
        }
        (Value::Array(whole), Value::Array(known)) => {
            let rest: Vec<_> = whole.into_iter().zip(known).map(|(value, known)| beyond(value, known)).collect();
            let is_empty = rest.iter().all(Option::is_none);
            (!is_empty).then(|| rest.into_iter().map(Option::unwrap_or_default).collect())
        }
        _ => None,
    }
}

fn add(known: &mut Value, unknown: &Value) {
    match (known, unknown) {
        (Value::Object(known), Value::Object(unknown)) => {
            for (name, value) in unknown {
                match known.get_mut(name) {
                    Some(known) => add(known, value),
                    None => drop(known.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(known), Value::Array(unknown)) => known.iter_mut().zip(unknown).for_each(|(k, u)| add(k, u)),
        _ => {}
    }
}
