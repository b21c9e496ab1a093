//! PostgreSQL's programs, run as child processes.

pub(crate) mod pg_dump;
pub(crate) mod pg_restore;
pub(crate) mod pipe;
pub(crate) mod program;
pub(crate) mod script;
pub(crate) mod session;
pub(crate) mod stop;
