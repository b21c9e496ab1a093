//! Whether there is room for a second copy of the database: a drill must never fill a disk that something else lives on.

use catalog::drill::ServerKind;
use catalog::words;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::space;

/// What a private server takes for itself, in bytes.
const CLUSTER: u64 = 64 << 20;
/// What stays free at least, in bytes.
const LEAST_LEFT: u64 = 256 << 20;

/// Bytes that a drill takes on a disk for a while, and that are free there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) needed: u64,
    pub(super) free: u64,
}

impl Room {
    /// Of the server's disk; nothing where need or room can't be known.
    pub(super) fn ask(kind: ServerKind, facts: &Facts) -> Option<Self> {
        match kind {
            ServerKind::Settings | ServerKind::Other => {
                facts.space.map(|space| Self { needed: space.needed, free: space.free })
            }
            ServerKind::Temporary => {
                let size = facts.backup.manifest.as_ref()?.database.size?;
                Some(Self {
                    needed: size.saturating_add(size / 10).saturating_add(CLUSTER),
                    free: space::free(&facts.spool.path)?,
                })
            }
        }
    }

    /// What has to stay free for others.
    fn margin(self) -> u64 {
        (self.needed / 4).max(LEAST_LEFT)
    }

    /// Refuses a drill that would fill the disk.
    ///
    /// # Errors
    /// Exit 1, with what is needed, what is there, and where else to go.
    pub(super) fn refuse(self, kind: ServerKind, place: &str) -> Result<(), Failure> {
        if self.needed.saturating_add(self.margin()) <= self.free {
            return Ok(());
        }
        let [needed, margin, free] = [self.needed, self.margin(), self.free].map(words::size);
        let (what, hint) = match kind {
            ServerKind::Temporary => (
                format!("the folder of temporary files ({place})"),
                "set TMPDIR to a folder with more room, or drill on another server with --server",
            ),
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
}
