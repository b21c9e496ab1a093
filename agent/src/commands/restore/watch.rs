//! What a drill has to know of an archive while it is restored, seen in the same pass: its table of contents, every table's rows in any
//! order, and how long was waited for its bytes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::archive::{Census, Damage, Described, InAnyOrder, Outline, Outliner, Table};

use crate::commands::restore::edits::{Editor, Edits};

/// Looks on. Clones look at the same.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    view: View,
}

/// How entries are looked at: as they are restored.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// What is changed in them on their way.
    pub(crate) edits: Edits,
}

/// What was seen of one reading to the end.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) outline: Outline,
    pub(crate) tables: Vec<Table>,
    /// How long was waited for stored bytes.
    pub(crate) waited: Duration,
    /// When its end had been read.
    pub(crate) end: Option<Instant>,
}

/// One reading.
pub(crate) struct Viewer<'a> {
    watch: &'a Watch,
    editor: Editor<'a>,
    outliner: Outliner,
    outline: Outline,
}

impl Watch {
    pub(crate) fn new(view: View) -> Self {
        Self { seen: Arc::default(), view }
    }

    /// A reading begins; what was seen of another one is forgotten.
    pub(crate) fn begin(&self) -> Viewer<'_> {
        *self.lock() = Seen::default();
        let (outliner, outline) = Default::default();
        Viewer { watch: self, editor: self.view.edits.begin(), outliner, outline }
    }

    /// The store took so long to give bytes.
    pub(crate) fn waited(&self, time: Duration) {
        self.lock().waited += time;
    }

    /// What was seen of the last reading.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Viewer<'_> {
    /// The dump's next bytes.
    ///
    /// # Errors
    /// When they are no archive's.
    pub(crate) fn see(&mut self, bytes: &[u8]) -> Result<(), Damage> {
        if self.outliner.is_done() {
            return Ok(());
        }
        let (outline, view) = (&mut self.outline, &self.watch.view);
        self.outliner.feed(&self.editor.pass(bytes), &mut |entry| outline.add(view.of(entry)))
    }

    /// The reading has come to its end.
    pub(crate) fn end(self, census: &Census, in_any_order: &[Option<InAnyOrder>]) {
        let mut seen = self.watch.lock();
        seen.outline = self.outline;
        seen.tables = Table::all(census, in_any_order);
        seen.end = Some(Instant::now());
    }
}

impl View {
    /// An entry of the archive that is restored, as it is restored.
    pub(crate) fn of(&self, mut entry: Described) -> Described {
        // What a restore makes of an archive's own CREATE SCHEMA public, for a database that has one.
        if entry.kind == "SCHEMA" && entry.definition == b"CREATE SCHEMA IF NOT EXISTS public;\n" {
            entry.definition = b"CREATE SCHEMA public;\n".to_vec();
        }
        entry
    }
}
