//! The commands that are struck.

/// A command, and what it is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// Of a small database: one put.
    BackupPut,
    /// Of a larger one: an upload of three parts.
    BackupParts,
    /// The same, whose last part is refused: what is sent has to go.
    BackupAborted,
    Prune,
    Verify,
    RestoreInto,
    Drill,
    Adopt,
    /// From the directory into the bucket, in three parts.
    CopyUp,
    /// From one bucket to another one of the same store.
    CopyAcross,
    /// Into a directory and a bucket, in three parts.
    BackupBoth,
    /// Over the living database, whose old state is kept beside it.
    RestoreSwap,
    /// Over the living database, in its own place.
    RestoreInPlace,
}

impl Subject {
    pub(super) const ALL: [Subject; 13] = [
        Self::BackupPut,
        Self::BackupParts,
        Self::BackupAborted,
        Self::Prune,
        Self::Verify,
        Self::RestoreInto,
        Self::Drill,
        Self::Adopt,
        Self::CopyUp,
        Self::CopyAcross,
        Self::BackupBoth,
        Self::RestoreSwap,
        Self::RestoreInPlace,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BackupPut => "backup-small",
            Self::BackupParts => "backup-in-parts",
            Self::BackupAborted => "backup-aborted",
            Self::Prune => "prune",
            Self::Verify => "verify",
            Self::RestoreInto => "restore-beside",
            Self::Drill => "drill",
            Self::Adopt => "adopt",
            Self::CopyUp => "copy-to-bucket",
            Self::CopyAcross => "copy-between-buckets",
            Self::BackupBoth => "backup-to-two-places",
            Self::RestoreSwap => "restore-and-swap",
            Self::RestoreInPlace => "restore-in-place",
        }
    }

    pub(super) fn is_backup(self) -> bool {
        matches!(self, Self::BackupPut | Self::BackupParts | Self::BackupAborted | Self::BackupBoth)
    }

    /// Over a living database, one of the scene's own.
    pub(super) fn replaces(self) -> bool {
        matches!(self, Self::RestoreSwap | Self::RestoreInPlace)
    }

    pub(super) fn is_copy(self) -> bool {
        matches!(self, Self::CopyUp | Self::CopyAcross)
    }
}
