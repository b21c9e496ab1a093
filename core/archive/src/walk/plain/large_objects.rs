//! Large objects as a script has them: `lo_open`, then `lowrite` for each piece, then `lo_close`.

use serde::{Deserialize, Serialize};

use super::super::values::Stop;
use super::event::{Event, Listener};

/// Whether one is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LargeObjects {
    open: bool,
}

impl LargeObjects {
    /// A statement below their heading.
    pub(super) fn statement(&mut self, statement: &[u8], listener: &mut Listener<'_>) -> Result<(), Stop> {
        let text = std::str::from_utf8(statement).map_err(|_| "its text isn't a script's")?.trim();
        let called = text.strip_prefix("SELECT ").map(|call| call.strip_prefix("pg_catalog.").unwrap_or(call));
        match (called, self.open) {
            (Some(call), false) if call.starts_with("lo_open(") => {
                let number = call.split('\'').nth(1).and_then(|oid| oid.parse().ok());
                // In an archive a 0 stands where none follows.
                let number = number.filter(|oid| *oid != 0).ok_or("a large object has no number")?;
                self.open = true;
                listener(Event::LargeObject(number))
            }
            (Some(call), true) if call.starts_with("lowrite(") => {
                let content = call
                    .split_once('\'')
                    .and_then(|(_, rest)| rest.rsplit_once('\''))
                    .ok_or("a piece of a large object has no content")?
                    .0;
                let hexadecimal = content
                    .trim_start_matches('\\')
                    .strip_prefix('x')
                    .ok_or("a large object is not written in hexadecimal")?;
                listener(Event::Content(
                    &hex::decode(hexadecimal).map_err(|_| "a large object's content is no hexadecimal")?,
                ))
            }
            (Some(call), true) if call.starts_with("lo_close(") => {
                self.open = false;
                listener(Event::LargeObjectEnd)
            }
            _ if ["BEGIN;", "COMMIT;"].contains(&text) || text.starts_with("SET ") => Ok(()),
            _ => Err("something else is among its large objects".into()),
        }
    }

    /// No more of them come.
    pub(super) fn end(self, listener: &mut Listener<'_>) -> Result<(), Stop> {
        if self.open {
            return Err("a large object has no end".into());
        }
        listener(Event::LargeObjectsEnd)
    }
}
