//! The commands whose disk breaks.

/// A command that works on a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Into the directory alone.
    Backup,
    /// Into the directory and a bucket.
    BackupBoth,
    Verify,
    Prune,
    /// From the directory into a new database.
    Restore,
    /// From a bucket into the directory.
    Copy,
}

impl Command {
    pub(super) const ALL: [Command; 6] =
        [Self::Backup, Self::BackupBoth, Self::Verify, Self::Prune, Self::Restore, Self::Copy];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::BackupBoth => "backup-to-two-places",
            Self::Verify => "verify",
            Self::Prune => "prune",
            Self::Restore => "restore",
            Self::Copy => "copy-to-directory",
        }
    }

    pub(super) fn is_backup(self) -> bool {
        matches!(self, Self::Backup | Self::BackupBoth)
    }

    /// How many bytes it writes into the directory, about.
    pub(super) fn writes(self) -> u64 {
        match self {
            Self::Backup | Self::BackupBoth => 12_900_000,
            Self::Copy => 180_000,
            Self::Verify | Self::Prune | Self::Restore => 8_192,
        }
    }
}
