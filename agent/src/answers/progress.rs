//! How far a long run is: a bar at a terminal. Elsewhere nothing (cron's mail has the first and the last line), or, of a run that may
//! take hours, a line now and then.

mod lines;

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::answers::progress::lines::Lines;
use crate::answers::report::Report;

/// Something going by, shown as it goes.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Where a log gets lines of it.
    lines: Option<Arc<Lines>>,
}

/// Of a stream whose length is unknown.
const OPEN_END: &str = "{spinner} {msg} {binary_bytes} dumped{prefix}, {binary_bytes_per_sec}, {elapsed}";
/// Of a stream whose length is guessed.
const ABOUT: &str = "{msg} {wide_bar} {binary_bytes} of about {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
/// Of a known number of bytes.
const BYTES: &str = "{msg} {wide_bar} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
/// Of a known number of other things.
const STEPS: &str = "{prefix} {wide_bar} {pos} of {len}, {elapsed} {msg}";

impl Progress {
    /// A bar for a stream whose length is unknown, such as a dump.
    pub(crate) fn open_end(report: Report, what: &str) -> Self {
        Self::new(report, what, OPEN_END, None)
    }

    /// The same, where `total` bytes are expected.
    pub(crate) fn about(report: Report, what: &str, total: Option<u64>) -> Self {
        if total.is_none() { Self::open_end(report, what) } else { Self::new(report, what, ABOUT, total) }
    }

    /// A bar for `total` bytes.
    pub(crate) fn of(report: Report, what: &str, total: u64) -> Self {
        Self::new(report, what, BYTES, Some(total))
    }

    /// The same, and lines where there is no terminal.
    pub(crate) fn of_hours(report: Report, what: &str, total: u64) -> Self {
        let lines = report.tells_progress().then(|| Arc::new(Lines::of_bytes(total)));
        Self::new(report, what, BYTES, Some(total)).with(lines)
    }

    /// A bar for `total` things of the kind `what`, and lines where there is no terminal.
    pub(crate) fn of_steps(report: Report, what: &str, total: u64) -> Self {
        let lines = report.tells_progress().then(|| Arc::new(Lines::of_steps(what, total)));
        Self::new(report, what, STEPS, Some(total)).with(lines)
    }

    fn with(mut self, lines: Option<Arc<Lines>>) -> Self {
        self.lines = lines;
        self
    }

    fn new(report: Report, what: &str, template: &str, total: Option<u64>) -> Self {
        if !report.shows_progress() {
            return Self { bar: ProgressBar::hidden(), lines: None };
        }
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        dress(&bar, template);
        // Before the first tick: what a bar of steps is about stays, its message is what it is at.
        if template == STEPS {
            bar.set_prefix(what.to_owned());
        } else {
            bar.set_message(what.to_owned());
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, lines: None }
    }

    /// Whether anybody is told anything: what is asked for this alone need not be asked otherwise.
    pub(crate) fn is_shown(&self) -> bool {
        !self.bar.is_hidden() || self.lines.is_some()
    }

    /// `bytes` of the dump have been read in all. When they are more than was expected, nobody knows how many are left.
    pub(crate) fn dumped(&self, bytes: u64) {
        if self.bar.length().is_some_and(|length| bytes > length) {
            self.bar.unset_length();
            dress(&self.bar, OPEN_END);
        }
        self.bar.set_position(bytes);
    }

    /// `bytes` have been stored in all.
    pub(crate) fn stored(&self, bytes: u64) {
        if !self.bar.is_hidden() {
            self.bar.set_prefix(format!(", {} stored", catalog::words::size(bytes)));
        }
    }

    /// `bytes` more have gone by.
    pub(crate) fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
        if let Some(lines) = &self.lines {
            lines.add(bytes);
        }
    }

    /// So many are done in all.
    pub(crate) fn reach(&self, done: u64) {
        self.bar.set_position(done);
        if let Some(lines) = &self.lines {
            lines.reach(done);
        }
    }

    /// What is being worked at now.
    pub(crate) fn at(&self, what: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(what.to_owned());
        }
        if let Some(lines) = &self.lines {
            lines.at(what);
        }
    }
}

fn dress(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
