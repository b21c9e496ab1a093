//! Archives that lack a part, because pg_dump was told to leave it out.

use super::cases::{Case, entry};

/// Which part.
pub(super) fn archives() -> Vec<(&'static str, Case)> {
    let usual = Case::usual;
    vec![
        ("of rows alone", usual().with(|c| c.facts.head.contents.retain(|entry| entry.has_data()))),
        ("of definitions alone", usual().with(|c| c.facts.head.contents.retain(|entry| !entry.has_data()))),
        (
            "of indexes alone",
            usual().with(|c| c.facts.head.contents = vec![entry(7, "CONSTRAINT", "orders orders_pkey", false)]),
        ),
        (
            "of a table without its schema",
            usual().with(|c| c.facts.head.contents.iter_mut().for_each(|entry| entry.schema = "app".to_owned())),
        ),
        (
            "made with an option of which its manifest warns",
            usual().with(|c| warn(c, "BACKUP_PG_DUMP_OPTIONS has -a: …")),
        ),
    ]
}

fn warn(case: &mut Case, warning: &str) {
    case.facts.backup.manifest.as_mut().unwrap().warnings.push(warning.to_owned());
}
