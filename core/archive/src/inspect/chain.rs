//! Places of one inspection, every so many stored bytes, in one document: so that many can read an archive at once, each from one place to
//! the next. Whoever ends at the next place byte for byte has proved it, if the place where it began is right: so, from the first byte
//! on, all of them are.
//!
//! A place names every table. So the first is kept whole, and of each other what has changed (RFC 6902).

use json_patch::{Patch, PatchOperation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SavedInspection;

/// Places of one inspection, in the order of the stored bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The first place; null in an empty chain.
    first: Value,
    /// What makes each other one of the one before it.
    then: Vec<Patch>,
    /// The last place.
    #[serde(skip)]
    last: Value,
}

/// A chain that can't be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// It has fewer places.
    #[error("it has no place {0}")]
    NoSuchPlace(usize),
    /// What is there isn't a place, or changes what isn't there.
    #[error("its place {place} can't be read: {reason}")]
    Place {
        /// Which, counted from 1.
        place: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl Chain {
    /// Adds the next place.
    pub fn push(&mut self, place: &SavedInspection) {
        // A place of ours is always JSON.
        let Ok(place) = serde_json::to_value(place) else { return };
        if self.first.is_null() {
            self.first = place.clone();
        } else {
            self.then.push(json_patch::diff(&self.last, &place));
        }
        self.last = place;
    }

    /// How many places it has: with it, one reader more can read at once.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.first.is_null() { 0 } else { self.then.len() + 1 }
    }

    /// Whether it has no place.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// The place with this number and the one before it; place 0 is the archive's beginning, and stands for none.
    ///
    /// # Errors
    /// Where the chain has no such place, or one that can't be read.
    pub fn link(&self, number: usize) -> Result<(Option<SavedInspection>, Option<SavedInspection>), BrokenChain> {
        let before = number.checked_sub(1).map(|before| self.place(before)).transpose()?.flatten();
        Ok((before, self.place(number)?))
    }

    fn place(&self, number: usize) -> Result<Option<SavedInspection>, BrokenChain> {
        if number == 0 {
            return Ok(None);
        }
        if number > self.len() {
            return Err(BrokenChain::NoSuchPlace(number));
        }
        let broken = |place: usize, reason: String| BrokenChain::Place { place, reason };
        let mut state = self.first.clone();
        for (patch, place) in self.then.iter().take(number - 1).zip(2..) {
            if !patch.iter().all(only_changes) {
                return Err(broken(place, "it does more than add, remove and replace".to_owned()));
            }
            json_patch::patch_unsafe(&mut state, patch).map_err(|error| broken(place, error.to_string()))?;
        }
        serde_json::from_value(state).map(Some).map_err(|error| broken(number, error.to_string()))
    }
}

/// Copies could make a small document large, step by step.
fn only_changes(operation: &PatchOperation) -> bool {
    matches!(operation, PatchOperation::Add(_) | PatchOperation::Remove(_) | PatchOperation::Replace(_))
}
