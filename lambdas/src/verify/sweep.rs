//! The sweep verifies what has no verdict (guests too), what has changed since its verdict, and what was verified long
//! ago.
//!
//! It goes from the newest down, one backup at a time. When time is up, it saves a place at the very beginning of the
//! next backup. That wakes an invocation, which gives the backup all its time and then sweeps on below it. So a chain
//! of invocations sweeps a bucket of any size, one at a time, and it ends, because each link starts further down.

use catalog::{BackupId, Catalog};
use jiff::{SignedDuration, Timestamp};

use super::due::{Due, Skip, Why, due};
use super::place::Place;
use super::round::Round;
use super::summary::Handled;
use crate::Failure;

/// The backups of a listing that concern a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    /// Backups to verify, in this order.
    pub(super) due: Vec<BackupId>,
    /// How many archives should be verified and cannot, because they are in Glacier.
    pub(super) in_glacier: usize,
}

/// The backups to be verified, newest folder first; those after `below` in that order, where one is named.
pub(super) fn candidates(
    catalogs: &[Catalog],
    below: Option<&BackupId>,
    now: Timestamp,
    reverify_after: SignedDuration,
) -> Candidates {
    let mut candidates = Candidates::default();
    let entries = catalogs.iter().flat_map(|catalog| &catalog.entries);
    for entry in entries.filter(|entry| below.is_none_or(|below| order(&entry.id) < order(below))) {
        match due(entry, &Why::Swept, now, reverify_after) {
            Due::Not(Skip::InGlacier) => candidates.in_glacier += 1,
            Due::Not(_) => {}
            Due::Anew | Due::GoOn(_) => candidates.due.push(entry.id.clone()),
        }
    }
    candidates.due.sort_by(|a, b| order(b).cmp(&order(a)));
    candidates
}

fn order(id: &BackupId) -> (Option<jiff::civil::Date>, &str) {
    (id.day, id.stem.as_str())
}

impl Round<'_> {
    /// Verifies what events missed, below a backup where one is named, until time is up.
    pub(super) async fn sweep(&mut self, below: Option<&BackupId>) {
        let catalogs = match self.cloud.repository.catalogs().await {
            Ok(catalogs) => catalogs,
            Err(error) => return self.summary.add(Err(error.into())),
        };
        let now = Timestamp::now();
        let candidates = candidates(&catalogs, below, now, self.reverify_after);
        drop(catalogs);
        self.summary.in_glacier += candidates.in_glacier;
        for id in &candidates.due {
            let handled =
                if self.deadline.is_near() { self.leave(id).await } else { self.backup(id, &Why::Swept, true).await };
            let goes_on = matches!(handled, Ok(Handled::GoesOn { .. }));
            self.summary.add(handled);
            if goes_on {
                return;
            }
        }
    }

    /// Leaves the backup, and those after it, to the next invocation.
    async fn leave(&self, id: &BackupId) -> Result<Handled, Failure> {
        let entry = self.cloud.repository.entry(id).await?;
        match entry.as_ref().and_then(|entry| Some((entry, entry.archive.as_ref()?))) {
            None => Ok(Handled::Skipped { name: id.to_string(), reason: Skip::Gone }),
            Some((entry, archive)) => {
                let place = Place::new(archive, Timestamp::now(), 0, None).sweeping(true);
                self.save(entry, &place).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use catalog::{Layout, Object, catalogs};

    use super::*;

    fn catalogs_of(keys: &[&str]) -> Vec<Catalog> {
        let objects = keys.iter().map(|key| Object {
            key: format!("b/{}", key.trim_end_matches('!')),
            size: 1,
            last_modified: Timestamp::UNIX_EPOCH,
            etag: None,
            version_id: None,
            readable: !key.ends_with('!'),
        });
        catalogs(&Layout::bucket("b"), objects)
    }

    fn swept(keys: &[&str], below: Option<&str>) -> (Vec<String>, usize) {
        let below = below.map(|id| id.parse().unwrap());
        let found = candidates(&catalogs_of(keys), below.as_ref(), Timestamp::UNIX_EPOCH, SignedDuration::MAX);
        (found.due.iter().map(ToString::to_string).collect(), found.in_glacier)
    }

    const KEYS: [&str; 6] = [
        "20260118/app_backup_initial.sql.gz",
        "20260119/app_backup_20260119_030000.sql.gz",
        "20260119/shop_backup_20260119_030000.sql.gz",
        "20260120/app_backup_20260120_030000.sql.gz",
        "20260120/app_backup_20260120_030000.intact.json",
        "20260117/old_backup_20260117_030000.sql.gz!",
    ];

    #[test]
    fn a_sweep_goes_from_the_newest_down_and_says_what_lies_in_glacier() {
        let expected = [
            "20260119/shop_backup_20260119_030000",
            "20260119/app_backup_20260119_030000",
            "20260118/app_backup_initial",
        ];
        assert_eq!(swept(&KEYS, None), (expected.map(str::to_owned).to_vec(), 1));
    }

    #[test]
    fn each_link_of_the_chain_sweeps_below_the_one_before_and_so_it_ends() {
        let (mut below, mut swept_all) = (None, Vec::new());
        while let Some(next) = swept(&KEYS, below.as_deref()).0.first() {
            swept_all.push(next.clone());
            below = Some(next.clone());
        }
        assert_eq!(swept_all, swept(&KEYS, None).0);
        assert_eq!(swept(&KEYS, Some("20260119/app_backup_20260119_030000")).0, ["20260118/app_backup_initial"]);
    }
}
