//! What a run leaves behind about itself, so that it is missed when it doesn't come.

use catalog::StatusRecord;
use catalog::status::Run;
use repository::Error;

use crate::{Cloud, Failure};

/// Writes the end of a run that looked at everything.
///
/// # Errors
/// When it can't be stored. A policy that is older than the record is no error: the run itself was good.
pub(crate) async fn leave(cloud: &Cloud, record: StatusRecord, run: &Run) -> Result<(), Failure> {
    let key = cloud.repository.layout().status(record);
    match cloud.store(&key, run.to_json()).await {
        Err(Failure::Repository { source: error @ Error::AccessDenied { .. } }) => {
            tracing::warn!(
                "the end of this run isn't recorded: {error}; hint: make deploy, for the policies of this version"
            );
            Ok(())
        }
        stored => stored,
    }
}
