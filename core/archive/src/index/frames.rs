//! How many stored bytes each step of the dump takes.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::FRAME_SIZE;

/// The most steps that are told apart.
const MOST: usize = 1 << 16;

/// Frames of an archive, several together where there are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frames {
    /// Bytes of the dump in one step; the last may have fewer.
    pub step: u64,
    /// Stored bytes of each step, before encryption.
    pub stored: Vec<u64>,
    /// Frames in the last step.
    #[serde(skip)]
    last: u64,
}

impl Default for Frames {
    fn default() -> Self {
        Self { step: FRAME_SIZE as u64, stored: Vec::new(), last: 0 }
    }
}

impl Frames {
    /// One more frame, of so many stored bytes. All but the last are of [`FRAME_SIZE`] bytes of the dump.
    pub fn push(&mut self, stored: u64) {
        let in_step = self.step / FRAME_SIZE as u64;
        if self.last < in_step
            && let Some(last) = self.stored.last_mut()
        {
            *last += stored;
            self.last += 1;
            return;
        }
        if self.stored.len() >= MOST {
            self.stored = self.stored.chunks(2).map(|pair| pair.iter().sum()).collect();
            self.step *= 2;
        }
        self.stored.push(stored);
        self.last = 1;
    }

    /// The stored bytes that hold these bytes of the dump, and where in the dump they begin; `None` where there are none.
    #[must_use]
    pub fn place(&self, dump: &Range<u64>) -> Option<(Range<u64>, u64)> {
        let step = self.step.max(1);
        let (first, end) = (dump.start / step, dump.end.div_ceil(step));
        let (first, end) = (usize::try_from(first).ok()?, usize::try_from(end).ok()?);
        let sum =
            |count: usize| self.stored.get(..count)?.iter().try_fold(0_u64, |sum, length| sum.checked_add(*length));
        let (from, to) = (sum(first)?, sum(end)?);
        (from < to).then_some((from..to, first as u64 * step))
    }
}
