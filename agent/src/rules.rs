//! Which of retention's rules apply where: a bucket, a directory alone, or local copies beside a bucket.

use catalog::retention::Limit;
use catalog::{Catalog, Plan, Policy, local_plan, plan};
use jiff::Timestamp;
use repository::Repository;

use crate::settings::DatabaseSettings;

/// The rules that apply to one database in one repository.
pub(crate) enum Rules<'a> {
    /// The repository is the only one: its policy decides.
    Policy(&'a Policy),
    /// The repository has local copies beside a bucket: they are removed once the bucket has them.
    Copies { bucket: Catalog, days: u32 },
}

impl<'a> Rules<'a> {
    /// The rules for `database` in `repository`. `bucket`: what the bucket has that is set beside a directory.
    pub(crate) fn of(repository: &Repository, database: &'a DatabaseSettings, bucket: Option<Catalog>) -> Self {
        match (repository, bucket) {
            (Repository::Bucket(_), _) => Self::Policy(&database.policy),
            (Repository::Directory(_), None) => Self::Policy(&database.directory_policy),
            (Repository::Directory(_), Some(bucket)) => Self::Copies { bucket, days: database.local_days },
        }
    }

    /// What these rules keep and remove of `catalog`, which comes from a whole listing.
    pub(crate) fn plan<'c>(&self, catalog: &'c Catalog, now: Timestamp, limit: Limit) -> Plan<'c> {
        match self {
            Self::Policy(policy) => plan(catalog, policy, now, limit),
            Self::Copies { bucket, days } => local_plan(catalog, bucket, *days, now),
        }
    }
}
