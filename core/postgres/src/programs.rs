//! PostgreSQL's programs, run as child processes.

pub mod dump_options;
pub mod guard;
pub(crate) mod handle;
pub mod pg_dump;
pub mod pg_dumpall;
pub mod pg_restore;
pub mod pipe;
pub mod program;
pub mod script;
pub mod session;
pub mod stop;
