//! Archives that no database can be restored from, because pg_dump was told to leave parts of it out.

use std::collections::HashSet;

use ::archive::Portion;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::head::Head;
use crate::commands::restore::plan::way::Way;
use crate::commands::restore::tables::Chosen;

/// Refuses an archive without the definitions, the rows or the schemas that a restore needs. `definitions_alone`: it needs no rows.
///
/// # Errors
/// Exit 1, naming what is missing and the way by hand.
pub(super) fn refuse(head: &Head, way: &Way, definitions_alone: bool) -> Result<(), Failure> {
    let program = if head.is_script { "psql -X -v ON_ERROR_STOP=1 -d NAME" } else { "pg_restore --dbname=NAME" };
    let refused = |error: &str, options: &str, by_hand: &str| {
        Err(Failure::new(Exit::Failed, error).hint(format!(
            "restore another backup: pg_dump left it out of this one ({options}, for a backup of lastgood in BACKUP_PG_DUMP_OPTIONS); \
             by hand {by_hand}: gunzip -cf FILE | {program}"
        )))
    };
    let portion = Portion::of(head.contents.iter().map(|entry| entry.kind.as_str()));
    if portion == Some(Portion::Rows) {
        let by_hand = "into a database that has the tables, empty (or with --data-only)";
        return refused("this backup has rows and no tables to put them into", "--data-only, --section=data", by_hand);
    }
    if portion == Some(Portion::Finish) {
        let by_hand = "into a database that has the tables with their rows";
        return refused(
            "this backup has indexes and constraints of tables that it lacks",
            "--section=post-data",
            by_hand,
        );
    }
    let tables = head.entries("TABLE").filter(|entry| !entry.definition.as_deref().is_some_and(is_partitioned)).count();
    if tables > 0 && portion == Some(Portion::Definitions) && !definitions_alone {
        let by_hand = "where empty tables are what you want (or --into NAME --schema-only)";
        return refused("this backup has tables and the rows of none", "--schema-only, --section=pre-data", by_hand);
    }
    match (way, missing_schema(head)) {
        (Way::Swap { .. }, Some(schema)) => refused(
            &format!("this backup has tables in schema {schema} and not the schema itself"),
            "--table",
            "into a database that has it",
        ),
        _ => Ok(()),
    }
}

/// It has no rows of its own.
fn is_partitioned(definition: &str) -> bool {
    definition.contains(")\nPARTITION BY ")
}

/// A schema that nothing in the archive makes. An extension may make some.
fn missing_schema(head: &Head) -> Option<&str> {
    if head.entries("EXTENSION").next().is_some() {
        return None;
    }
    let made: HashSet<&str> = head.entries("SCHEMA").map(|entry| entry.name.as_str()).collect();
    let schemas = head.entries("TABLE").map(|entry| entry.schema.as_str());
    schemas.into_iter().find(|schema| !["", "public"].contains(schema) && !made.contains(schema))
}

/// Large objects belong to no table, and so come with all of them alone.
pub(super) fn without_large_objects(head: &Head, chosen: &Chosen) -> Option<String> {
    let has_some = head.entries("BLOBS").next().is_some() || !head.large_objects.is_empty();
    (has_some && !chosen.is_all())
        .then(|| "large objects are left out: rows that refer to one by its number will find none".to_owned())
}

/// What the backup's manifest says of the options that it was made with.
pub(super) fn warned(facts: &Facts) -> impl Iterator<Item = String> {
    let warnings = facts.backup.manifest.iter().flat_map(|manifest| &manifest.warnings);
    warnings.filter(|warning| warning.starts_with("BACKUP_PG_DUMP_OPTIONS has ")).cloned()
}
