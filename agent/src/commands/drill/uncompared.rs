//! What a drill can't compare, and says so.

use ::archive::Rows;

use crate::commands::drill::finding::naming;
use crate::commands::restore::head::Head;
use crate::commands::restore::job::Job;

/// What belongs to no entry that could be compared, a sentence each.
pub(super) fn of(job: &Job, rows: &Rows) -> Vec<String> {
    let head = &job.facts.head;
    let about_content = job.plan.warnings.iter().filter(|warning| is_about_content(warning));
    // A remedy that only a restore has.
    let mut said: Vec<String> =
        about_content.filter_map(|warning| warning.split("; --tablespace-map ").next()).map(str::to_owned).collect();
    let mut say = |names: &[String], words: &str| said.extend(naming(words, names));
    say(&rows.without_rows, "rows that the backup does not contain, of");
    say(&names(head, "FOREIGN TABLE"), "rows of foreign tables, which are on other servers");
    say(&names(head, "MATERIALIZED VIEW DATA"), "rows of materialized views, which were made again from the tables");
    let extensions: Vec<String> = head.entries("EXTENSION").map(|entry| entry.name.clone()).collect();
    say(&extensions, "what extensions bring, and their versions, of which a dump says nothing");
    said
}

/// What was left out, and not how the restore went about it.
fn is_about_content(warning: &str) -> bool {
    !warning.starts_with("this backup has not been verified")
        && !warning.contains(" jobs instead of ")
        && !warning.contains("(--search-path-fix)")
}

fn names(head: &Head, kind: &str) -> Vec<String> {
    head.entries(kind).map(|entry| format!("{}.{}", entry.schema, entry.name)).collect()
}
