//! Why a database wasn't filled, and whether another order of the rows may mend that.

use crate::answers::failure::Failure;

/// Why a database wasn't filled. What has been filled in is worth nothing then.
#[derive(Debug)]
pub(crate) enum Unfilled {
    /// It cannot be filled at all.
    Failed(Failure),
    /// It refused rows that came side by side. They may need others to be there before, as a CHECK does that looks into
    /// another table: in the archive's order they may be taken. Or sessions that made indexes side by side waited for each other.
    Refused(Failure),
}

impl From<Failure> for Unfilled {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Unfilled> for Failure {
    fn from(unfilled: Unfilled) -> Self {
        match unfilled {
            Unfilled::Failed(failure) | Unfilled::Refused(failure) => failure,
        }
    }
}
