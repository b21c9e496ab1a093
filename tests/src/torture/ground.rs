//! What the cases stand on: databases that nobody changes, and what a command said.

use std::sync::OnceLock;

use crate::agent::{Agent, Outcome};
use crate::past;
use crate::postgres::{Database, Postgres};

/// Megabytes of a plain dump that is, uncompressed, three parts of 5 MiB.
pub(super) const SIZE: u32 = 12;

/// So many megabytes, which nobody changes.
pub(super) fn large() -> &'static Database<'static> {
    static LARGE: OnceLock<Database<'static>> = OnceLock::new();
    LARGE.get_or_init(|| {
        let database = Postgres::shared().new_database("torture_large");
        database.fill_with_megabytes(SIZE);
        database
    })
}

/// A few thousand rows: an archive that is stored by one put.
pub(super) fn small() -> &'static Database<'static> {
    past::database()
}

/// The settings that make [`large`] an upload of three parts.
pub(super) fn in_parts(agent: Agent) -> Agent {
    agent.setting("BACKUP_COMPRESSION", "none").setting("BACKUP_S3_PART_SIZE", "5MiB")
}

/// What one of the two databases is, as SQL.
pub(super) fn content(database: &Database<'_>) -> &'static str {
    static CONTENTS: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
    CONTENTS[usize::from(database.name() == large().name())].get_or_init(|| database.as_sql())
}

/// Its last words: the errors, or what it warned of.
pub(super) fn last_words(outcome: &Outcome) -> String {
    let lines = |prefix: &str| outcome.stderr.lines().filter(|line| line.starts_with(prefix)).collect::<Vec<_>>();
    let errors = lines("error: ");
    let said = if errors.is_empty() { lines("warning: ") } else { errors };
    said.join(" | ")
}

/// Everything that it told anybody: both streams, and its log.
pub(super) fn told(outcome: &Outcome, agent: &Agent) -> String {
    let log = std::fs::read_to_string(agent.home().join("log")).unwrap_or_default();
    [&outcome.stdout, &outcome.stderr, &log].map(String::as_str).concat().to_lowercase()
}

/// Whether there is a reason: an error with more to it than a bare word, or a backup that is called damaged.
pub(super) fn is_named(outcome: &Outcome) -> bool {
    let errors = outcome.stderr.lines().filter_map(|line| line.strip_prefix("error: "));
    let damaged = outcome.stdout.lines().filter(|line| line.trim_start().starts_with("DAMAGED"));
    errors.chain(damaged).map(|error| error.split_whitespace().count()).any(|words| words >= 3)
}
