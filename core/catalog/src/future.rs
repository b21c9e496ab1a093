//! What lies in the future, decided in this one place: a backup made while a clock was wrong, or asked about while one is.
//!
//! Where such a backup stands among the others isn't known. So it is never the newest while there is another, takes nobody's
//! place in a plan, and is named as what it is wherever it is shown; and a clock that is behind only hides backups, which
//! no plan removes.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use crate::catalog::Entry;
use crate::clock::SKEW;

/// The farthest that a name in local time can be ahead of UTC: adopted guests keep theirs.
const FARTHEST_ZONE: SignedDuration = SignedDuration::from_hours(14);

impl Entry {
    /// By how much it lies in the future of `now`, if it does: by both its times, or by a name that no time zone explains.
    #[must_use]
    pub fn ahead_of(&self, now: Timestamp) -> Option<SignedDuration> {
        let ahead =
            |time: Timestamp, tolerated: SignedDuration| Some(time.duration_since(now)).filter(|by| *by > tolerated);
        let named = self.id.stem.time().and_then(|named| ahead(named, SKEW.saturating_add(FARTHEST_ZONE)));
        named.or_else(|| ahead(self.instant, SKEW))
    }

    /// Whether it lies in the future of `now`.
    #[must_use]
    pub fn is_in_the_future(&self, now: Timestamp) -> bool {
        self.ahead_of(now).is_some()
    }

    /// How old it is; below zero where it lies in the future.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        self.ahead_of(now).map_or_else(|| now.duration_since(self.instant), |by| -by)
    }
}
