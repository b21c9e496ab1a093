//! The page: each database's last good backup and what is wrong, its past year, and the evidence for an auditor.
//!
//! [`gather`] reads what is stored, [`Report`] is what came of it, for programs, and [`page`] shows that to people: one HTML file that
//! asks for nothing else. Names in a database are a stranger's text: everything is escaped, and what can't be seen is shown.

mod build;
mod data;
mod gather;
mod page;
mod parts;
mod tables;
#[cfg(test)]
mod tests;
mod text;

pub use data::{
    Backup, Calendar, Database, Drill, GoesNext, Growing, LastGood, Problem, Report, Size, VERSION, Verified,
};
pub use gather::{Wanted, gather};
pub use page::page;
pub use parts::Asked;
