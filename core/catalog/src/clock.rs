//! What two machines' clocks may differ by.

use jiff::SignedDuration;

/// Clocks differ by seconds, not by more: a time this far ahead is taken for the present, and one beyond it is of the future.
pub const SKEW: SignedDuration = SignedDuration::from_mins(5);
