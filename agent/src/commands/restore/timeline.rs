//! When a restore came to which of its stages, for whoever wants to know what it waits for: `--verbose` shows it.

use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Instant;

static BEGUN: OnceLock<Instant> = OnceLock::new();

/// The run begins.
pub(crate) fn begin() {
    let _ = BEGUN.set(Instant::now());
}

/// It has come to a stage. `make bench` reads these lines.
pub(crate) fn reached(stage: impl Display) {
    tracing::debug!("timeline: {:.3} s: {stage}", BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64());
}
