//! The contests, one file each.

mod backup;
mod growth;
mod list;
mod memory;
mod restore;
mod start;
mod tables;
mod verify;

pub(crate) use self::memory::generate;
use crate::ground::Ground;
use crate::race::Contest;

/// How much is done.
pub(crate) struct Effort {
    pub(crate) quick: bool,
    /// Of the database as an uncompressed archive.
    pub(crate) megabytes: u32,
    pub(crate) rounds: usize,
}

type Held = fn(&Ground, &Effort) -> Contest;

/// Every contest by its name, which its picture has as well.
pub(crate) const ALL: [(&str, Held); 11] = [
    ("backup", backup::hold),
    ("restore", restore::hold),
    ("restore-in-place", restore::hold_in_place),
    ("verify", verify::hold),
    ("verify-one-core", verify::hold_on_one_core),
    ("growth", growth::hold),
    ("tables", tables::hold),
    ("list", list::hold),
    ("start", start::hold),
    ("help", start::hold_help),
    ("memory", memory::hold),
];
