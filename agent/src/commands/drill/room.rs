//! Whether there is room for a second copy of the database: a drill must never fill a disk that something else lives on.

use std::path::Path;

use catalog::drill::ServerKind;
use catalog::words;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::backup::Backup;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::space;

/// What a private server takes for itself, in bytes.
const CLUSTER: u64 = 64 << 20;
/// What stays free at least, in bytes.
const LEAST_LEFT: u64 = 256 << 20;

/// What to do about a folder for a temporary server that is too small.
const MORE_ROOM: &str = "set TMPDIR to a folder with more room (TMPDIR=/a/larger/disk lastgood drill …), or drill on another server with --server";

/// Says that the folder of a temporary server is full, where that is why a drill failed.
pub(super) fn full(failure: Failure, kind: ServerKind, folder: &Path) -> Failure {
    let said = ["No space left on device", "Disk quota exceeded", "No space left"];
    if kind != ServerKind::Temporary || !said.iter().any(|words| failure.error.contains(words)) {
        return failure;
    }
    let error = format!("the folder of temporary files ({}) is full: {}", folder.display(), failure.error);
    Failure { error, ..failure }.hint(MORE_ROOM)
}

/// Bytes that a drill takes on a disk for a while, and that are free there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(super) needed: u64,
    pub(super) free: u64,
}

impl Room {
    /// On the disk of a server that runs; nothing where need or room can't be known.
    pub(crate) fn on_the_server(facts: &Facts) -> Option<Self> {
        facts.space.map(|space| Self { needed: space.needed, free: space.free })
    }

    /// In a folder for a temporary server. Of a backup that doesn't tell the database's size, what is stored is the least that it needs.
    pub(crate) fn in_folder(folder: &Path, backup: &Backup) -> Option<Self> {
        let known = backup.manifest.as_ref().and_then(|manifest| manifest.database.size);
        let size = known.unwrap_or(backup.size);
        Some(Self { needed: size.saturating_add(size / 10).saturating_add(CLUSTER), free: space::free(folder)? })
    }

    /// What has to stay free for others.
    fn margin(self) -> u64 {
        (self.needed / 4).max(LEAST_LEFT)
    }

    /// Refuses a drill that would fill the disk.
    ///
    /// # Errors
    /// Exit 1, with what is needed, what is there, and where else to go.
    pub(crate) fn refuse(self, kind: ServerKind, place: &str) -> Result<(), Failure> {
        if self.needed.saturating_add(self.margin()) <= self.free {
            return Ok(());
        }
        let [needed, margin, free] = [self.needed, self.margin(), self.free].map(words::size);
        let (what, hint) = match kind {
            ServerKind::Temporary => (format!("the folder of temporary files ({place})"), MORE_ROOM),
            _ => (
                "the server's disk".to_owned(),
                "drill with --temporary-server, whose place is TMPDIR, or on another server with --server",
            ),
        };
        Err(Failure::new(
            Exit::Failed,
            format!("a drill would fill {what}: the scratch database needs {needed}, {margin} must stay free, and there are {free}"),
        )
        .hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_would_fill_up_is_left_alone() {
        let refused = |needed: u64, free: u64| Room { needed, free }.refuse(ServerKind::Settings, "").err();
        assert_eq!(refused(10 << 30, 13 << 30), None);
        let failure = refused(10 << 30, 12 << 30).unwrap();
        assert_eq!(
            failure.error,
            "a drill would fill the server's disk: the scratch database needs 10.0 GiB, 2.5 GiB must stay free, and there are 12.0 GiB"
        );
        assert!(failure.hint.unwrap().contains("--temporary-server"));
        assert!(refused(1 << 20, 200 << 20).is_some(), "some is always left");
        let failure = Room { needed: 2, free: 1 }.refuse(ServerKind::Temporary, "/tmp").unwrap_err();
        assert!(failure.error.contains("(/tmp)") && failure.hint.unwrap().contains("TMPDIR"));
    }

    #[test]
    fn a_full_folder_is_said_where_a_drill_failed_by_it() {
        let failed = |error: &str, kind| full(Failure::new(Exit::Failed, error).hint("x"), kind, Path::new("/var/tmp"));
        let said = failed("initdb: could not write: No space left on device", ServerKind::Temporary);
        assert!(said.error.starts_with("the folder of temporary files (/var/tmp) is full: "), "{}", said.error);
        assert!(said.hint.unwrap().contains("TMPDIR="));
        assert_eq!(failed("No space left on device", ServerKind::Settings).hint.unwrap(), "x");
        assert_eq!(failed("another", ServerKind::Temporary).error, "another");
    }
}
