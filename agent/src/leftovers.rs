//! What killed runs left behind: hidden files, removals cut short, open multipart uploads. The database's lock is held, so no backup
//! on this machine is writing them.

use std::time::Duration;

use jiff::Timestamp;
use repository::Repository;

/// Where a file system has no locks that tell: a file that is being written changes all the time.
const FILES_AFTER: Duration = Duration::from_secs(15 * 60);
/// A store tells only when an upload began, and a large database takes its time: on other machines, and in a copy, which has a lock of its
/// own and may go on with it the next day. As long as the bucket's lifecycle rule waits.
const UPLOADS_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Removes what was left of `database` in `repository`, and says how much. A failure here fails nothing.
pub(crate) async fn sweep(repository: &Repository, database: &str, now: Timestamp) -> usize {
    let older_than = match repository {
        Repository::Directory(_) => FILES_AFTER,
        Repository::Bucket(_) => UPLOADS_AFTER,
    };
    let place = repository.display_name();
    match repository.sweep(database, now, older_than).await {
        Ok(0) => 0,
        Ok(swept) => {
            tracing::info!("removed {swept} that killed runs left in {place}");
            swept
        }
        // The bucket's lifecycle rule does it as well.
        Err(error) => {
            tracing::debug!("cannot remove what killed runs may have left in {place}: {error}");
            0
        }
    }
}
