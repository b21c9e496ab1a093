//! Definitions that PostgreSQL itself says in other words after a restore. That it is one of the rewritings that are known by name isn't
//! enough: the archive's definitions are taken once more by the same server, in another scratch database, and have to come to the same words.

use std::collections::BTreeSet;

use ::archive::Described;
use jiff::{SignedDuration, Timestamp};
use postgres::database::{names, scratch};
use postgres::words::rewrites;

use crate::answers::failure::Failure;
use crate::commands::drill::both::Both;
use crate::commands::drill::dump;
use crate::commands::drill::finding::Finding;
use crate::commands::restore::job::Job;
use crate::commands::restore::swap;
use crate::settings::DatabaseSettings;

/// Takes those that are the same in other words out of `pairs`, and says so.
///
/// # Errors
/// When the definitions can't be taken once more.
pub(super) fn forgive(
    job: &Job,
    database: &DatabaseSettings,
    pairs: Vec<Both>,
    finding: &mut Finding,
) -> Result<Vec<Both>, Failure> {
    let (candidates, mut others): (Vec<Both>, Vec<Both>) =
        pairs.into_iter().partition(|both| !rewritings(both).is_empty());
    if candidates.is_empty() {
        return Ok(others);
    }
    let again = take_again(job, database, &candidates)?;
    let is_same =
        |copy: &Described| again.iter().any(|entry| *entry == Described { dump_id: entry.dump_id, ..copy.clone() });
    let (same, changed): (Vec<Both>, Vec<Both>) =
        candidates.into_iter().partition(|both| both.copy.as_ref().is_some_and(is_same));
    others.extend(changed);
    finding.compared.definitions += same.len() as u64;
    for known in &rewrites::ALL {
        let of_it = same.iter().filter(|both| rewritings(both).iter().any(|rewriting| rewriting.name == known.name));
        let names: Vec<String> = of_it.filter_map(Both::shown).collect();
        let said = format!("{} in {}, as it makes them of the backup's each time", known.name, known.becomes);
        finding.remark(&said, &names);
    }
    Ok(others)
}

/// A table whose columns are in another order, and nothing else.
pub(super) fn is_moved(both: &Both) -> bool {
    rewritings(both).iter().any(|rewriting| rewriting.name == rewrites::CHILDREN)
}

/// How the copy's definition comes from the original's, all else being equal.
fn rewritings(both: &Both) -> Vec<&'static rewrites::Rewriting> {
    let (Some(original), Some(copy)) = (&both.original, &both.copy) else { return Vec::new() };
    let without = |entry: &Described| Described { dump_id: 0, definition: Vec::new(), ..entry.clone() };
    if without(original) != without(copy) || original.is_cut || copy.is_cut {
        return Vec::new();
    }
    let text = |entry: &Described| String::from_utf8_lossy(&entry.definition).into_owned();
    rewrites::known(&text(original), &text(copy))
}

/// The same entries of a database that was made of the archive's definitions once more.
fn take_again(job: &Job, database: &DatabaseSettings, candidates: &[Both]) -> Result<Vec<Described>, Failure> {
    let key = |entry: &Described| (entry.kind.clone(), entry.schema.clone(), entry.name.clone());
    let wanted: BTreeSet<_> = candidates.iter().filter_map(|both| both.copy.as_ref().map(key)).collect();
    // A second that the drill itself doesn't have.
    let name = names::drill(&job.facts.head.header.database, Timestamp::now() + SignedDuration::from_secs(1));
    let _claim = scratch::Claim::take(&job.server.maintenance, &name)
        .map_err(|e| Failure::new(crate::answers::failure::Exit::Failed, e.to_string()))?;
    tracing::info!("taking the definitions once more, in {name}: PostgreSQL says some of them in other words");
    let new = swap::defined(job, &name)?;
    dump::definitions(job, &job.server.psql.to(&new.name), database, |entry| wanted.contains(&key(entry)))
}
