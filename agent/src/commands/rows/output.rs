//! The rows on stdout: CSV, JSON or SQL.

use std::io::{BufWriter, ErrorKind, IsTerminal as _, Stdout, Write as _};
use std::ops::ControlFlow;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::{stdout, visible};

/// What rows look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
    Insert,
}

/// stdout, and what has been put there.
pub(super) struct Output {
    pub(super) format: Format,
    stdout: BufWriter<Stdout>,
    /// A person looks at it: what would move a terminal's cursor is escaped.
    for_people: bool,
    has_begun: bool,
}

impl Output {
    pub(super) fn new(format: Format) -> Self {
        let stdout = stdout();
        let for_people = stdout.is_terminal();
        Self { format, stdout: BufWriter::with_capacity(1 << 16, stdout), for_people, has_begun: false }
    }

    /// Whether anything was printed.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Prints some bytes; breaks where nobody reads them any more.
    ///
    /// # Errors
    /// When stdout can't be written to.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<ControlFlow<()>, Failure> {
        self.has_begun |= !bytes.is_empty();
        let written = if self.for_people {
            self.stdout.write_all(visible(&String::from_utf8_lossy(bytes)).as_bytes())
        } else {
            self.stdout.write_all(bytes)
        };
        gone(written)
    }

    /// Prints what waits.
    ///
    /// # Errors
    /// As [`Output::put`].
    pub(super) fn flush(&mut self) -> Result<ControlFlow<()>, Failure> {
        gone(self.stdout.flush())
    }
}

fn gone(written: std::io::Result<()>) -> Result<ControlFlow<()>, Failure> {
    match written {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(Failure::new(Exit::Failed, format!("cannot write to stdout: {error}"))),
    }
}
