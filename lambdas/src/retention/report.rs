//! The log lines and the result of retention: what it did, and why.

use catalog::Entry;
use catalog::retention::{Plan, Row};
use repository::Removal;
use serde_json::{Value, json};

use crate::findings::Pruned;

/// How many backups of one database the result names: Lambda takes 6 MB, and the log has them all.
const ROWS: usize = 1_000;

/// Logs each backup that the plan removes or keeps, with its reason.
pub(super) fn log(plan: &Plan<'_>) {
    if let Some(refusal) = &plan.refused {
        tracing::warn!(hint = refusal.hint(), "{refusal}");
    }
    for row in plan.rows.iter().filter(|row| row.is_removed()) {
        tracing::info!(backup = %row.entry.id, reason = row.reason(), refused = plan.refused.is_some(), "to be removed");
    }
    for row in plan.rows.iter().filter(|row| !row.is_removed()) {
        tracing::debug!(backup = %row.entry.id, reason = row.reason(), "kept");
    }
}

/// Why the backup or a part of it is still there, and whether its verdict is; `None` when all of it is gone.
pub(super) fn what_stayed(entry: &Entry, removal: &Removal) -> Option<(String, bool)> {
    let keys: Vec<&str> = entry.removal().map(|object| object.key.as_str()).collect();
    let of_it = |key: &String| keys.contains(&key.as_str());
    let failed = removal.failed.iter().find(|(key, _)| of_it(key)).map(|(_, reason)| reason.clone());
    let locked = || removal.locked.iter().any(of_it).then(|| "under an object lock".to_owned());
    let changed = || removal.changed.iter().any(of_it).then(|| "changed since it was listed".to_owned());
    let reason = failed.or_else(locked).or_else(changed)?;
    let has_verdict = entry.intact.as_ref().is_some_and(|intact| !removal.removed.contains(&intact.key));
    Some((reason, has_verdict))
}

/// How many of these that were to go are still backups as they were counted: their manifests neither went nor changed.
pub(super) fn still_there(batch: &[&Row<'_>], removal: &Removal) -> usize {
    let is_there = |key: &String| !removal.removed.contains(key) && !removal.changed.contains(key);
    let manifests = batch.iter().filter(|row| !row.entry.is_safety()).filter_map(|row| row.entry.manifest.as_ref());
    manifests.filter(|manifest| is_there(&manifest.key)).count()
}

/// The invocation's result.
pub(super) fn to_json(databases: &[Pruned], dry_run: bool) -> Value {
    json!({"dryRun": dry_run, "databases": databases.iter().map(database).collect::<Vec<_>>()})
}

fn database(pruned: &Pruned) -> Value {
    let rows = |rows: &[(String, String)]| {
        let shown = rows.iter().take(ROWS).map(|(backup, reason)| json!({"backup": backup, "reason": reason}));
        shown.collect::<Vec<_>>()
    };
    json!({
        "database": pruned.database, "good": pruned.good, "kept": pruned.kept, "removed": rows(&pruned.removed),
        "stayed": rows(&pruned.stayed), "refused": pruned.refused.as_ref().map(ToString::to_string),
        "notShown": pruned.removed.len().saturating_sub(ROWS) + pruned.stayed.len().saturating_sub(ROWS),
    })
}
