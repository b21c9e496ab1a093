//! The contests, one file each.

mod backup;
mod cores;
mod drill;
mod functions;
mod growth;
mod history;
mod list;
mod memory;
mod places;
mod restore;
mod rows;
mod sessions;
mod start;
mod tables;
mod timeline;
mod verify;

use crate::effort::Effort;
use crate::ground::Ground;
use crate::race::Contest;

type Held = fn(&Ground, &Effort) -> Contest;

/// Every contest by its name, which its picture has as well.
pub(crate) const ALL: [(&str, Held); 25] = [
    ("backup", backup::hold),
    ("sessions", sessions::hold),
    ("one-table", sessions::hold_one_table),
    ("distant", sessions::hold_distant),
    ("places", places::hold),
    ("restore", restore::hold),
    ("restore-in-place", restore::hold_in_place),
    ("restore-timeline", timeline::hold),
    ("drill", drill::hold),
    ("rows", rows::hold),
    ("verify", verify::hold),
    ("verify-one-core", verify::hold_on_one_core),
    ("growth", growth::hold),
    ("cores", cores::hold),
    ("tables", tables::hold),
    ("list", list::hold),
    ("start", start::hold),
    ("help", start::hold_help),
    ("memory", memory::hold),
    ("function-size", functions::hold_size),
    ("function-start", functions::hold_start),
    ("function-verify", functions::hold_verify),
    ("function-memory", functions::hold_memory),
    ("freshness", history::hold_freshness),
    ("retention", history::hold_retention),
];
