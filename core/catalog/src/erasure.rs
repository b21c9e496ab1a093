//! Rows that leave every backup: of each one another is made without them, which takes its place, by name and by age.
//!
//! What an erasure has done stands in the manifests of what it made, so that a run that broke off is known by the repository alone: a
//! backup stands for its original when it names it, its bytes' digest, and rows that come to its own.

mod certificate;
mod obstacle;
mod plan;
#[cfg(test)]
mod tests;

pub use crate::erased::{Erased, ErasedTable, request};
pub use certificate::{Asked, Certificate, Certified, Outcome, Remaining};
pub use obstacle::{Lock, Obstacle};
pub use plan::{Fate, Known, Row, number, plan};
