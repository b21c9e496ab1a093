//! What is no backup of one database, whole as it may be: adopted, it would be the newest good one.

use archive::{Format, Portion, Walked};

use crate::answers::failure::{Exit, Failure};

/// Refuses a dump of a whole server, and one of a part of a database.
///
/// # Errors
/// Exit 1, saying what it is, and what it is good for as it is.
pub(super) fn refuse(name: &str, walked: &Walked) -> Result<(), Failure> {
    let refused = |what: &str, hint: &str| Err(Failure::new(Exit::Failed, format!("{name} {what}")).hint(hint));
    if walked.header.format == Format::Cluster {
        return refused(
            "is a dump of a whole server (pg_dumpall), not a backup of one database",
            "restore it with psql; lastgood backup backs up each database",
        );
    }
    match walked.portion {
        None => Ok(()),
        Some(Portion::Definitions) => refused(
            "has tables and the rows of none (pg_dump --schema-only), and would count as the newest good backup",
            "it stays a guest, which nothing removes: its tables come back with lastgood restore NAME --into DATABASE --schema-only",
        ),
        Some(Portion::Rows) => refused(
            "has rows and no tables to put them into (pg_dump --data-only), and would count as the newest good backup",
            "it stays a guest, which nothing removes: into tables that are there, its rows come back with lastgood restore NAME --data-only",
        ),
        Some(Portion::Finish) => refused(
            "has indexes and constraints of tables that it lacks (pg_dump --section=post-data), and would count as the newest good backup",
            "it stays a guest, which nothing removes; adopt the dump that has the tables as well",
        ),
    }
}
