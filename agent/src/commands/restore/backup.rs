//! A backup that may be restored: what is known of it, and where its bytes are.

use std::fmt;
use std::path::PathBuf;

use catalog::Object;
use catalog::manifest::Manifest;
use jiff::Timestamp;
use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::folder::FolderReader;
use crate::keys::Source;

/// What is known of a backup.
#[derive(Clone, Debug)]
pub(crate) struct Backup {
    /// As a person calls it: its name, or the file's path.
    pub(crate) name: String,
    /// Where its archive is: `s3://bucket/key`, or a path.
    pub(crate) place: String,
    /// Stored bytes.
    pub(crate) size: u64,
    /// When it was made, as far as can be trusted.
    pub(crate) instant: Timestamp,
    pub(crate) assurance: Assurance,
    pub(crate) manifest: Option<Manifest>,
    /// What is to be said of it before it is restored.
    pub(crate) notes: Vec<String>,
    /// The newest good backup beside it, to restore where this one turns out to be damaged.
    pub(crate) other: Option<String>,
    /// A verdict on it belongs beside it: it is a backup of a repository.
    pub(crate) is_judged: bool,
}

/// What is known of a backup's bytes before they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assurance {
    /// A verdict says that they are whole.
    Good,
    /// They have not been read back yet.
    Unverified,
    /// Another tool made them, and they have not been judged.
    Guest,
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Unverified => "unverified",
            Self::Guest => "guest",
        })
    }
}

/// Where the bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum StoredBytes {
    Object(Repository, Object),
    File(PathBuf),
    /// A folder of `pg_dump --format=directory`.
    Folder(PathBuf),
}

impl StoredBytes {
    /// The bytes from the first on; `place` is what messages call them. For a thread that may block, inside the runtime.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub(crate) fn open(&self, place: &str) -> Result<Source, Failure> {
        match self {
            Self::File(path) => {
                let file = std::fs::File::open(path);
                let file = file.map_err(|e| Failure::new(Exit::Failed, format!("{place}: {e}")))?;
                Ok(Box::new(file))
            }
            Self::Folder(path) => {
                let folder = FolderReader::open(path);
                Ok(Box::new(folder.map_err(|e| match ::archive::damage(&e) {
                    Some(damage) => Failure::new(Exit::Damaged, format!("{place} is damaged: {damage}")),
                    None => Failure::new(Exit::Failed, format!("{place}: {e}")),
                })?))
            }
            Self::Object(repository, object) => {
                let handle = tokio::runtime::Handle::current();
                let reader = handle.block_on(async { repository.download(object).await.map(|d| d.into_reader()) })?;
                Ok(Box::new(reader))
            }
        }
    }
}
