//! What killed runs left of uploads of the database's backups, which no listing shows: it may hold the rows as well as a backup does.

use std::time::Duration;

use jiff::Timestamp;
use repository::{Dead, Swept};

use crate::commands::erase::facts::Ground;

/// The age after which nobody writes them any more, where nothing else tells. The database's lock isn't held: a backup may be running.
const OLDER_THAN: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes what is certainly nobody's, and what erasures left; `None` where it can't be listed.
pub(super) async fn sweep(ground: &Ground) -> Option<Swept> {
    let dead = Dead { older_than: OLDER_THAN, erasures: true };
    match ground.repository.sweep_dead(&ground.catalog.database, Timestamp::now(), dead).await {
        Ok(swept) => {
            swept.gone.iter().for_each(|gone| tracing::info!("removed {}, which a run that broke off left", gone.name));
            Some(swept)
        }
        Err(error) => {
            tracing::debug!("{error}");
            None
        }
    }
}
