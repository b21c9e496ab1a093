//! Why a drill ended, in its own words.

use crate::answers::failure::{Exit, Failure};

/// A drill that was told to stop.
pub(super) fn stopped_by(signal: &str) -> Failure {
    Failure::new(Exit::Failed, format!("the drill was stopped by {signal}"))
        .hint("nothing of it is left; start it again")
}
