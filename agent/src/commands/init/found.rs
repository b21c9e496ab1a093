//! What this machine has already, and may be taken: each proposal says where it came from.

pub(super) mod clusters;
pub(super) mod crontabs;
mod env_files;
mod pgpass;
pub(super) mod profiles;

use std::path::Path;

use postgres::Stop;

use self::clusters::Cluster;
use self::crontabs::Crontab;
use self::profiles::Profile;
use super::machine::Machine;
use super::offer::Offer;
use crate::settings::Given;

/// Where systemd finds the timers that are enabled.
const ENABLED: &str = "/etc/systemd/system/timers.target.wants";
/// The package's, the one first that backs up.
const BACKUP_TIMER: &str = "lastgood.timer";
const TIMERS: [&str; 4] = [BACKUP_TIMER, "lastgood-verify.timer", "lastgood-prune.timer", "lastgood-drill.timer"];

/// Everything that was found.
#[derive(Default)]
pub(super) struct Found {
    /// Databases that were named somewhere, the nearest first.
    pub(super) databases: Vec<Offer>,
    /// Places that were named somewhere.
    pub(super) places: Vec<Offer>,
    /// The servers of this machine.
    pub(super) clusters: Vec<Cluster>,
    pub(super) profiles: Vec<Profile>,
    /// Those with a line that runs a backup.
    pub(super) crontabs: Vec<Crontab>,
    /// The package's timers that are enabled, if one of them backs up.
    pub(super) timers: Vec<&'static str>,
}

impl Found {
    /// Looks everywhere. What cannot be read is passed over.
    pub(super) fn look(machine: &Machine, given: &Given, stop: &Stop) -> Self {
        let crontabs = crontabs::read(machine, stop);
        let mut found = Self {
            clusters: clusters::find(machine, given.environment.get("PGHOST"), stop),
            profiles: profiles::read(&machine.own.home),
            ..Self::default()
        };
        let of_environment = env_files::of_environment(&given.environment);
        let files = env_files::of_files(&crontabs);
        for (database, place) in of_environment.into_iter().chain(files) {
            found.databases.extend(database);
            found.places.extend(place);
        }
        found.databases.extend(pgpass::read(&machine.own.home));
        found.crontabs = crontabs;
        found.timers = timers(Path::new(ENABLED));
        found
    }
}

/// The package's timers in this folder, if the one that backs up is among them.
fn timers(folder: &Path) -> Vec<&'static str> {
    let is_enabled = |timer: &&str| folder.join(timer).symlink_metadata().is_ok();
    if is_enabled(&BACKUP_TIMER) { TIMERS.into_iter().filter(is_enabled).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_count_where_one_backs_up() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lastgood-verify.timer"), "").unwrap();
        assert!(timers(folder.path()).is_empty());
        std::os::unix::fs::symlink("/nowhere", folder.path().join("lastgood.timer")).unwrap();
        assert_eq!(timers(folder.path()), ["lastgood.timer", "lastgood-verify.timer"]);
        assert!(timers(Path::new("/nowhere")).is_empty());
    }
}
