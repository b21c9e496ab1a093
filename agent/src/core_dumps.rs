//! No core dump of ours, nor of a program that we start: it would hold the password, the keys, and rows of the database.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Bytes. The kernel writes no core file as small as this, and doesn't hand the core to a program either, which it does at 0
/// (core(5); `fs/coredump.c` says what 1 means).
const NONE: u64 = 1;

/// Forbids them from now on. Whoever wants one all the same can raise the limit again: the hard one stays as it is.
pub(crate) fn forbid() {
    let limits = getrlimit(Resource::Core);
    let allowed = limits.maximum.map_or(NONE, |maximum| maximum.min(NONE));
    // Lowering a limit is never refused.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(allowed), ..limits });
}
