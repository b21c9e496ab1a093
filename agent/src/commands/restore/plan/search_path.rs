//! Functions that name things without their schemas: refused where something evaluates them while it is restored, unless they
//! get a path for that time.

use catalog::words;
use postgres::words::traps::{Trap, When};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::tables::{self, Chosen};
use crate::commands::restore::traps::Traps;
use crate::commands::restore::wish::Wish;

/// How many traps one line spells out.
const NAMED: usize = 2;

/// What helps, and what where nothing can be done in time.
const OPTION: &str =
    "pg_restore runs with an empty search_path: --search-path-fix gives functions one for the time of the restore";
const AT_THE_SOURCE: &str = "pg_restore runs with an empty search_path, and looks into this function before it can be given one: \
                             ALTER FUNCTION … SET search_path in the database that was backed up, and back it up again";

/// Refuses an archive whose restore would fail half way.
///
/// # Errors
/// Exit 1, naming what would fail and the option.
pub(super) fn refuse(wish: &Wish, facts: &Facts, chosen: &Chosen) -> Result<(), Failure> {
    let Traps { all, .. } = &facts.traps;
    if all.is_empty() {
        return Ok(());
    }
    let hopeless: Vec<String> = all.iter().filter(|trap| trap.when == When::Defined).map(in_words).collect();
    if !hopeless.is_empty() {
        return Err(Failure::new(Exit::Failed, would_fail(&hopeless)).hint(AT_THE_SOURCE));
    }
    let family = tables::families(&facts.head.contents);
    let springs = |trap: &&Trap| match &trap.when {
        When::Always | When::Defined => true,
        When::Filled { schema, name } => {
            is_refreshed(facts, schema, name) || family(schema, name).iter().any(|table| has_rows(facts, chosen, table))
        }
    };
    let found: Vec<String> = all.iter().filter(springs).map(in_words).collect();
    if found.is_empty() || wish.search_path_fix {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, would_fail(&found)).hint(OPTION))
}

fn would_fail(found: &[String]) -> String {
    format!("names without their schema would make the restore fail: {}", words::first_of(found, NAMED, "; "))
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

/// It is a materialized view that was filled.
fn is_refreshed(facts: &Facts, schema: &str, name: &str) -> bool {
    facts.head.entries("MATERIALIZED VIEW DATA").any(|entry| entry.names() == (schema, name))
}

/// Without rows nothing is evaluated.
fn has_rows(facts: &Facts, chosen: &Chosen, (schema, name): &(String, String)) -> bool {
    let has_data = facts.head.entries("TABLE DATA").any(|entry| entry.names() == (schema, name));
    let counted = facts.backup.manifest.iter().flat_map(|manifest| &manifest.census.tables);
    let counted = counted.filter(|table| table.names() == (schema, name)).find_map(|table| table.rows);
    has_data && counted != Some(0) && chosen.has(schema, name)
}
