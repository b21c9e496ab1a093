//! This machine.

/// This machine's name, as `uname -n` says it.
pub(crate) fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
