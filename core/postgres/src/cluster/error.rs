//! Why there is no private server, and what to do about it.

use crate::programs::program::ProgramError;

/// Why there is no such server.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No folder can be made for it.
    #[error("cannot make a temporary server in {folder}: {cause}")]
    Place {
        /// Where.
        folder: String,
        /// What the system said.
        cause: String,
    },
    /// A path within it would be too long for a socket.
    #[error("cannot make a temporary server in {folder}: the path of its socket would be longer than {most} bytes")]
    TooLong {
        /// Where.
        folder: String,
        /// The system's limit.
        most: usize,
    },
    /// Root may not run a server, and there is nobody else to run it as.
    #[error(
        "cannot start a temporary server: PostgreSQL refuses to run as root, and there is no user postgres or nobody"
    )]
    Nobody,
    /// One of its programs failed.
    #[error("cannot start a temporary server: {0}")]
    Program(ProgramError),
    /// It didn't answer in time, or ended.
    #[error("the temporary server did not start: {0}")]
    Silent(String),
}

impl ClusterError {
    /// What to do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Place { .. } => {
                "set TMPDIR to a folder on a local disk that the user postgres may enter, or drill with --server"
            }
            Self::TooLong { .. } => "set TMPDIR to a folder with a shorter path",
            Self::Nobody => "make a user postgres, or run the drill as another user than root",
            Self::Program(_) | Self::Silent(_) => {
                "see what it says with -v; or drill on the server of the settings, or with --server"
            }
        }
    }
}

impl From<ProgramError> for ClusterError {
    fn from(error: ProgramError) -> Self {
        Self::Program(error)
    }
}
