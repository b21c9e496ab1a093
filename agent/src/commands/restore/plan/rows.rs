//! Rows alone: whether the tables that they are to go into can take them.

use std::collections::BTreeSet;

use catalog::words;
use postgres::database::loading::Loading;

use crate::answers::failure::{Exit, Failure};

/// Refuses what is not there, not empty or somebody else's, and says what will happen to keys and triggers.
///
/// # Errors
/// Exit 5 where a table is missing; exit 1 where one has rows or belongs to another role.
pub(super) fn decide<'a>(
    chosen: impl Iterator<Item = (&'a str, &'a str)>,
    found: &Loading,
    role: &str,
) -> Result<Vec<String>, Failure> {
    const NAMED: usize = 5;
    let named = |names: &[String]| words::first_of(names, NAMED, ", ");
    let there: BTreeSet<(&str, &str)> = found.tables.iter().map(|t| (t.schema.as_str(), t.name.as_str())).collect();
    let missing: Vec<String> = chosen.filter(|table| !there.contains(table)).map(|(s, n)| format!("{s}.{n}")).collect();
    if !missing.is_empty() {
        let error = format!("the live database lacks tables whose rows are to be restored: {}", named(&missing));
        return Err(Failure::new(Exit::NotFound, error).hint(
            "--table NAME chooses others; without --data-only, --into NAME restores them with their definitions",
        ));
    }
    let others = found.tables.iter().filter(|table| !table.ours).map(|t| format!("{}.{}", t.schema, t.name));
    let others: Vec<String> = others.collect();
    if !others.is_empty() {
        let error = format!("the role {role} does not own tables whose rows are to be restored: {}", named(&others));
        return Err(Failure::new(Exit::Failed, error).hint("restore as their owner, or as a superuser"));
    }
    let filled: Vec<String> = found.filled.iter().map(|(schema, name)| format!("{schema}.{name}")).collect();
    if !filled.is_empty() {
        let error = format!("tables whose rows are to be restored have some already: {}", named(&filled));
        return Err(Failure::new(Exit::Failed, error).hint(
            "no row is ever replaced: empty them first (TRUNCATE), or restore beside with --into NAME and copy what you need",
        ));
    }
    let keys: Vec<String> = found.keys.iter().map(|key| key.name.clone()).collect();
    let triggers: Vec<String> = found.triggers.iter().map(|trigger| trigger.name.clone()).collect();
    let mut warnings = Vec::new();
    if !keys.is_empty() {
        warnings.push(format!("these keys are checked once all rows are in: {}", named(&keys)));
    }
    if !triggers.is_empty() {
        warnings.push(format!("these triggers do not fire: {}", named(&triggers)));
    }
    Ok(warnings)
}
