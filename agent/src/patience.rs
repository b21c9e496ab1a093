//! How long a run waits for a store: as long as the settings say and nobody tells it to stop; a dry run, or one that only looks, not at all.

use std::time::Duration;

use repository::BucketSettings;

use crate::interrupt::Interrupt;

/// What an answer may take where somebody watches.
const WATCHED: Duration = Duration::from_secs(15);

/// Makes every request of `bucket` heed `interrupt`, and each have one try where somebody waits for it.
pub(crate) fn set(bucket: &mut BucketSettings, interrupt: &Interrupt, is_impatient: bool) {
    bucket.retry.cancellation = interrupt.cancellation();
    if is_impatient {
        bucket.retry = bucket.retry.clone().once();
        bucket.connect_timeout = bucket.connect_timeout.min(WATCHED);
        bucket.request_timeout = bucket.request_timeout.min(WATCHED);
    }
}
