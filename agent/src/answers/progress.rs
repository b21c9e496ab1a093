//! How far a long run is: a bar at a terminal, nothing elsewhere (cron's mail has the first and the last line).

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::answers::report::Report;

/// Bytes going by, shown as they go.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for a stream whose length is unknown, such as a dump.
    pub(crate) fn open_end(report: Report, what: &str) -> Self {
        Self::new(report, what, None)
    }

    /// A bar for `total` bytes.
    pub(crate) fn of(report: Report, what: &str, total: u64) -> Self {
        Self::new(report, what, Some(total))
    }

    fn new(report: Report, what: &str, total: Option<u64>) -> Self {
        if !report.shows_progress() {
            return Self(ProgressBar::hidden());
        }
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let template = match total {
            Some(_) => "{msg} {wide_bar} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left",
            None => "{spinner} {msg} {binary_bytes} dumped{prefix}, {binary_bytes_per_sec}, {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// `bytes` of the dump have been read in all.
    pub(crate) fn dumped(&self, bytes: u64) {
        self.0.set_position(bytes);
    }

    /// `bytes` have been stored in all.
    pub(crate) fn stored(&self, bytes: u64) {
        if !self.0.is_hidden() {
            self.0.set_prefix(format!(", {} stored", catalog::words::size(bytes)));
        }
    }

    /// `bytes` more have gone by.
    pub(crate) fn read(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
