//! What this machine has already, and may be taken: each proposal says where it came from.

pub(super) mod clusters;
pub(super) mod crontabs;
mod env_files;
mod pgpass;
pub(super) mod profiles;

use postgres::Stop;

use self::clusters::Cluster;
use self::crontabs::Crontab;
use self::profiles::Profile;
use super::machine::Machine;
use super::offer::Offer;
use crate::settings::Given;

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
        found
    }
}
