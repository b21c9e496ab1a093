//! Files that appear with all that is in them: whoever reads meanwhile sees the one before, or none.

use std::fs::{self, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use tempfile::NamedTempFile;

/// A file in the folder of `path`, with this text and mode, under a hidden name that neither cron nor systemd nor a collector reads.
/// It takes its place when it is persisted, and goes when it is dropped.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn beside(path: &Path, text: impl AsRef<[u8]>, mode: u32) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".lastgood.").tempfile_in(folder)?;
    file.write_all(text.as_ref())?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// The same in its place at once. What is there keeps its mode, and its owner as far as that may be given; of a link the file that it leads
/// to is meant. A pipe or a device is written to.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>, mode: u32) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let there = match fs::metadata(&path) {
        Ok(there) if !there.is_file() => return fs::write(&path, text),
        there => there.ok(),
    };
    let kept = there.as_ref().map_or(mode, |there| there.permissions().mode() & 0o7777);
    let draft = match (beside(&path, text.as_ref(), kept), &there) {
        (Ok(draft), None) => draft,
        (Ok(draft), Some(there)) if has_owner(&draft, there)? => draft,
        // The file is another's, and open to us; or it is ours, and the folder somebody else's.
        (Ok(_), Some(_)) => return fs::write(&path, text),
        (Err(error), Some(_)) if error.kind() == io::ErrorKind::PermissionDenied => return fs::write(&path, text),
        // A full disk must not take what is there.
        (Err(error), _) => return Err(error),
    };
    draft.as_file().sync_all()?;
    draft.persist(&path).map(drop).map_err(|error| error.error)
}

/// Gives a draft the owner of what it replaces. False where that may not be.
fn has_owner(draft: &NamedTempFile, there: &Metadata) -> io::Result<bool> {
    let own = draft.as_file().metadata()?;
    let is_same = (own.uid(), own.gid()) == (there.uid(), there.gid());
    Ok(is_same || fchown(draft.as_file(), Some(there.uid()), Some(there.gid())).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_there_keeps_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(&at("new"), "1", 0o640).unwrap();
        assert_eq!(fs::metadata(at("new")).unwrap().permissions().mode() & 0o777, 0o640);
        write(&at("new"), "2", 0o600).unwrap();
        assert_eq!(fs::metadata(at("new")).unwrap().permissions().mode() & 0o777, 0o640, "somebody chose it");
        symlink(at("new"), at("link")).unwrap();
        write(&at("link"), "3", 0o600).unwrap();
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(at("new")).unwrap(), "3");
        symlink("/dev/null", at("nowhere")).unwrap();
        write(&at("nowhere"), "4", 0o600).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(write(&at("no/such"), "5", 0o600).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no draft stays");
    }
}
