//! The file that `--certificate` names. It is there from the beginning on, and whole at any moment; whether it can be written is known before
//! anything is changed.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::all_at_once;
use crate::answers::failure::{Exit, Failure};

/// A file for the certificate.
#[derive(Debug)]
pub(super) struct Paper {
    path: PathBuf,
}

impl Paper {
    /// Finds out whether it can be written, and leaves no trace of that.
    ///
    /// # Errors
    /// Exit 2 when it can't.
    pub(super) fn at(path: &Path) -> Result<Self, Failure> {
        let paper = Self { path: path.to_owned() };
        paper.test().map_err(|error| {
            Failure { exit: Exit::Usage, ..paper.refused(&error) }
                .hint("name a file in a folder that this user may write to; nothing was changed")
        })?;
        Ok(paper)
    }

    fn test(&self) -> io::Result<()> {
        // A pipe, a terminal: opening one may have effects.
        if fs::metadata(&self.path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            return Ok(());
        }
        let is_new = fs::symlink_metadata(&self.path).is_err();
        OpenOptions::new().append(true).create(true).open(&self.path)?;
        if is_new { fs::remove_file(&self.path) } else { Ok(()) }
    }

    /// Writes the certificate in the place of the one before.
    ///
    /// # Errors
    /// Exit 1 when that fails; the one before is whole then.
    pub(super) fn write(&self, json: &[u8], is_last: bool) -> Result<(), Failure> {
        // What goes to somebody who reads along is said once.
        if !is_last && fs::metadata(&self.path).is_ok_and(|there| !there.is_file()) {
            return Ok(());
        }
        all_at_once::write(&self.path, json, 0o600).map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &io::Error) -> Failure {
        Failure::new(Exit::Failed, format!("cannot write the certificate into {}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_is_known_at_once_and_one_that_can_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("there.json");
        fs::write(&there, "old").unwrap();
        Paper::at(&there).unwrap();
        assert_eq!(fs::read(&there).unwrap(), b"old");
        let new = folder.path().join("new.json");
        let paper = Paper::at(&new).unwrap();
        assert!(!new.exists());
        paper.write(b"{}", false).unwrap();
        assert_eq!(fs::read(&new).unwrap(), b"{}");
        for wrong in [folder.path().to_owned(), folder.path().join("no/such/folder.json"), there.join("below")] {
            let refused = Paper::at(&wrong).unwrap_err();
            assert_eq!(refused.exit, Exit::Usage);
            assert!(refused.error.contains("cannot write the certificate into"), "{refused}");
        }
    }

    #[test]
    fn it_takes_the_place_of_the_one_before_behind_a_link_too() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old, and longer than the new one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let paper = Paper::at(&link).unwrap();
        paper.write(b"one", false).unwrap();
        paper.write(b"two", true).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
