//! What `lastgood` can do: one file, or one folder beside it, for each command of the same name.
//!
//! Each has a `run` that reads as its table of contents. No command imports another, except `restore`, which imports the backup
//! that it takes of what it replaces, `drill`, which restores, `diff` and `rows`, which read an archive as a restore does, `erase`, which
//! restores, compares and backs up, and `status`, which shows what `check` finds.

pub(crate) mod accept;
pub(crate) mod adopt;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod copy;
pub(crate) mod cost;
pub(crate) mod diff;
pub(crate) mod drill;
pub(crate) mod erase;
pub(crate) mod expect;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod prune;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod retire;
pub(crate) mod rows;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod verify;
pub(crate) mod version;
