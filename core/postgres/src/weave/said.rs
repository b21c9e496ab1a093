//! How a session answers.

use archive::weave::Abandoned;

/// Most bytes of what is printed that are handed on at once.
pub(super) const PIECE: usize = 256 << 10;

/// How a script ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The SQLSTATE of the statement that was refused; `None`: all succeeded.
    pub(super) refused: Option<String>,
    /// The rows of the last command tag.
    pub(super) rows: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    /// The session is gone, which can tell the reason.
    #[error("the session ended too early")]
    Ended,
    /// Nobody wants the rows.
    #[error(transparent)]
    Abandoned(#[from] Abandoned),
}
