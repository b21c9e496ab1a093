//! What Lastgood survives, tried and counted (`make torture`).
//!
//! A [`Case`] is one command, one fault and one moment; cases are made from axes, not written out. After each one a judge looks at
//! what is left with AWS's SDK, plain pg_dump and a run of Lastgood that nothing disturbs. What came of it is a [`Verdict`]; all of
//! them together are the table of docs/reliability.md.

mod case;
mod database;
mod disks;
mod ground;
mod judge;
mod kills;
mod network;
mod results;
mod scene;
mod subject;
mod table;
mod verdict;
mod workers;

pub use self::case::{Case, Family};
pub use self::results::{Record, known, save};
pub use self::table::{failures, markdown, sayings, table};
pub use self::verdict::Verdict;
pub use self::workers::run;

/// How much of it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Of so many cases that the axes make one is tried at 1, two at 2; [`Effort::ALL`] is all of them.
    pub scale: usize,
    /// How often each command is killed.
    pub kills: u32,
}

impl Effort {
    /// The scale at which every case is tried.
    pub const ALL: usize = 31;
}

/// The cases of a family, in an order that changes with no run.
pub fn cases(family: Family, effort: Effort) -> Vec<Case> {
    match family {
        Family::Network => network::cases(effort.scale),
        Family::Database => database::cases(effort.scale),
        Family::Disks => disks::cases(effort.scale),
        Family::Kills => kills::cases(effort.kills),
    }
}

/// A part of a family's cases that takes seconds: each fault once, at one command or another. What waits for a minute is not in it.
pub fn bounded(family: Family) -> Vec<Case> {
    match family {
        Family::Network => network::bounded(),
        Family::Database => database::bounded(),
        Family::Disks => disks::bounded(),
        Family::Kills => kills::bounded(),
    }
}
