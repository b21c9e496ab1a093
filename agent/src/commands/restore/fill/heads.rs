//! The archive's head, without its data blocks: all that definitions, indexes and constraints need. And twice more, where foreign keys are
//! made in two steps, in the words of each.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::answers::failure::Failure;
use crate::commands::restore::edits::{Edit, Editor, Edits};
use crate::commands::restore::fill::schedule::Wording;
use crate::commands::restore::fill::spool;
use crate::commands::restore::job::Job;

/// Files without names.
pub(super) struct Heads {
    plain: (File, Edits),
    /// With foreign keys that are not checked, and with the checks of these.
    in_two: Option<[(File, Edits); 2]>,
}

/// One reading of the archive into them.
pub(super) struct Writer<'a> {
    files: Vec<(&'a File, Editor<'a>)>,
    folder: &'a Path,
}

impl Heads {
    /// Empty ones in this folder.
    ///
    /// # Errors
    /// When it takes none.
    pub(super) fn create(job: &Job, folder: &Path) -> Result<Self, Failure> {
        let (edits, head) = (&job.plan.edits, &job.facts.head);
        let (mut unchecked, mut checks) = (Vec::new(), Vec::new());
        for step in &head.steps {
            let Some(in_two) = &step.in_two else { continue };
            let entry = head.contents.iter().find(|entry| entry.dump_id == step.dump_id);
            let place = entry.map(|entry| entry.places.definition).unwrap_or_default();
            unchecked.push(Edit { place, text: in_two.unchecked.clone() });
            checks.push(Edit { place, text: in_two.check.clone() });
        }
        let in_two = match unchecked.is_empty() {
            true => None,
            false => {
                Some([(spool::create(folder)?, edits.and(unchecked)), (spool::create(folder)?, edits.and(checks))])
            }
        };
        Ok(Self { plain: (spool::create(folder)?, edits.clone()), in_two })
    }

    /// The head as it is restored.
    pub(super) fn plain(&self) -> &File {
        &self.plain.0
    }

    /// The path by which a child process opens the one with this wording.
    pub(super) fn path_of(&self, wording: Wording) -> PathBuf {
        let file = match (wording, &self.in_two) {
            (Wording::Unchecked, Some([(unchecked, _), _])) => unchecked,
            (Wording::Check, Some([_, (check, _)])) => check,
            _ => self.plain(),
        };
        spool::path_of(file)
    }

    /// Begins to write them.
    pub(super) fn write<'a>(&'a self, folder: &'a Path) -> Writer<'a> {
        let all = std::iter::once(&self.plain).chain(self.in_two.iter().flatten());
        Writer { files: all.map(|(file, edits)| (file, edits.begin())).collect(), folder }
    }
}

impl Writer<'_> {
    /// The head's next bytes.
    ///
    /// # Errors
    /// When the folder has no room.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for (file, editor) in &mut self.files {
            let mut file: &File = file;
            file.write_all(&editor.pass(bytes)).map_err(|e| spool::unwritable(&e, self.folder))?;
        }
        Ok(())
    }
}
