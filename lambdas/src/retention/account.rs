//! The account of what a day has removed, which several runs at once keep together: each plans by what it reads there, and puts its
//! own in the place of what it read, and of nothing else. Who comes too late reads and plans again.

use std::collections::BTreeMap;

use catalog::retention::{Limit, Removals};
use catalog::{Catalog, Plan, Policy, StatusRecord, plan};
use jiff::Timestamp;
use repository::{PutOutcome, Version};

use crate::{Cloud, Failure};

/// How often a run plans, while others change what it planned by.
const TRIES: usize = 5;

/// The plans that the account allows, in the order of the catalogs.
pub(super) struct Agreed<'a> {
    pub(super) plans: Vec<Plan<'a>>,
    /// What is noted: among it the backups that somebody else has removed lately.
    pub(super) noted: Removals,
}

/// Plans for these catalogs, and, unless it is a dry run, notes what is about to be removed before it is: what can't be counted
/// isn't removed. The account is asked after the listing was made: what another run has removed from it stands there.
pub(super) async fn agree<'a>(
    cloud: &Cloud,
    policy: &Policy,
    catalogs: &'a [Catalog],
    dry_run: bool,
    now: Timestamp,
) -> Result<Agreed<'a>, Failure> {
    for _ in 0..TRIES {
        let (known, version) = cloud.repository.removals().await?;
        let today = known.map_or_else(|| Removals::none(now), |removals| removals.at(now));
        let hold = |catalog: &'a Catalog| today.hold(&catalog.database, plan(catalog, policy, now, Limit::Half));
        let plans: Vec<Plan<'a>> = catalogs.iter().map(hold).collect();
        let mut after = today.clone();
        after.miss(catalogs, now);
        catalogs.iter().zip(&plans).for_each(|(catalog, plan)| after.add(catalog, plan));
        if dry_run || after == today || note(cloud, &after, &version).await? {
            return Ok(Agreed { plans, noted: after });
        }
        tracing::info!("another run has removed something meanwhile: planning again");
    }
    let key = cloud.repository.layout().status(StatusRecord::Removals);
    Err(Failure::Contended { object: cloud.repository.object_name(&key) })
}

/// Counts again what was `noted` as going and has stayed, so many backups of each database: under a lock, for one. Who never comes to
/// that, or too late, has counted too few, which only lets as many losses go unnoticed until the next run.
pub(super) async fn keep(cloud: &Cloud, noted: &Removals, stayed: &BTreeMap<String, usize>) -> Result<(), Failure> {
    if stayed.values().all(|stayed| *stayed == 0) {
        return Ok(());
    }
    for _ in 0..TRIES {
        let (known, version) = cloud.repository.removals().await?;
        let Some(mut removals) = known else { return Ok(()) };
        if !removals.keep(noted, stayed) || note(cloud, &removals, &version).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether nobody else noted anything since.
async fn note(cloud: &Cloud, after: &Removals, version: &Version) -> Result<bool, Failure> {
    let key = cloud.repository.layout().status(StatusRecord::Removals);
    let json = after.to_json();
    let json = json.map_err(|source| Failure::Document { object: cloud.repository.object_name(&key), source })?;
    Ok(cloud.repository.put_after(&key, version, json).await? != PutOutcome::Exists)
}
