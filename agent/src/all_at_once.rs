//! Files that appear with all that is in them: whoever reads meanwhile sees the one before, or none.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// A file in the folder of `path`, with this text and mode, under a hidden name that neither cron nor systemd nor a collector reads.
/// It takes its place when it is persisted, and goes when it is dropped.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn beside(path: &Path, text: &str, mode: u32) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".lastgood.").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    Ok(file)
}

/// The same in its place at once, whatever was there.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    beside(path, text, mode)?.persist(path).map(drop).map_err(|error| error.error)
}
