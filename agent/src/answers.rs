//! How a run speaks: its answer and its failure, tables and progress bars, and the question before something is replaced.

pub(crate) mod census;
mod colour;
pub(crate) mod failure;
pub(crate) mod fold;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod report;
pub(crate) mod runnable;
pub(crate) mod table;
