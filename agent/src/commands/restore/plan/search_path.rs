//! Functions that name things without their schemas: refused where something evaluates them while it is restored, unless they
//! get a path for that time.

use catalog::words;
use postgres::words::traps::{Trap, When};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::tables::{self, Chosen};
use crate::commands::restore::wish::Wish;

/// How many traps one line spells out.
const NAMED: usize = 2;

/// Refuses an archive whose restore would fail half way.
///
/// # Errors
/// Exit 1, naming what would fail and the option.
pub(super) fn refuse(wish: &Wish, facts: &Facts, chosen: &Chosen) -> Result<(), Failure> {
    if wish.search_path_fix {
        return Ok(());
    }
    let found: Vec<String> = facts.traps.all.iter().filter(|trap| springs(facts, chosen, trap)).map(in_words).collect();
    if found.is_empty() {
        return Ok(());
    }
    let error =
        format!("names without their schema would make the restore fail: {}", words::first_of(&found, NAMED, "; "));
    Err(Failure::new(Exit::Failed, error).hint(
        "pg_restore runs with an empty search_path: --search-path-fix gives functions one for the time of the restore",
    ))
}

/// What the option means.
pub(super) fn warned(wish: &Wish) -> Option<String> {
    let words = "functions without a search_path get one until all is restored, and lose it again before the check \
                 (--search-path-fix)";
    wish.search_path_fix.then(|| words.to_owned())
}

fn in_words(trap: &Trap) -> String {
    format!("{} evaluates {}, which names {}", trap.evaluated_by, trap.function, trap.name)
}

/// Without rows nothing is evaluated.
fn springs(facts: &Facts, chosen: &Chosen, trap: &Trap) -> bool {
    let When::Filled { schema, name } = &trap.when else { return true };
    let is_refreshed = facts.head.entries("MATERIALIZED VIEW DATA").any(|e| e.schema == *schema && e.name == *name);
    is_refreshed
        || tables::with_those_below(&facts.head, schema, name).iter().any(|table| has_rows(facts, chosen, table))
}

fn has_rows(facts: &Facts, chosen: &Chosen, (schema, name): &(String, String)) -> bool {
    let is_it = |of: &str, named: &str| of == schema && named == name;
    let has_data = facts.head.entries("TABLE DATA").any(|entry| is_it(&entry.schema, &entry.name));
    let counted = facts.backup.manifest.iter().flat_map(|manifest| &manifest.census.tables);
    let counted = counted.filter(|table| is_it(&table.schema, &table.name)).find_map(|table| table.rows);
    has_data && counted != Some(0) && chosen.has(schema, name)
}
