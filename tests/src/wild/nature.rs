//! What differs, or is refused, by PostgreSQL's nature: the only place that knows it, each line with its reason.

use super::case::{Expect, Expected, Role, Way};

/// Whether a line of a fingerprint counts. Comments of pg_dump don't: they repeat what the statements say, and hold the
/// versions of programs. Nor do the random words that fence its output since August 2025.
pub(super) fn counts(line: &str) -> bool {
    let random = line.starts_with(r"\restrict ") || line.starts_with(r"\unrestrict ");
    !(line.is_empty() || line.starts_with("--") || random)
}

/// What is right for every case.
pub(super) fn expectations() -> Vec<Expect> {
    vec![
        // Only CREATEDB creates databases.
        Expect {
            ways: Some(vec![Way::Into, Way::Gone]),
            roles: Some(vec![Role::Owner]),
            result: Expected::Refused,
            says: vec!["CREATEDB".to_owned()],
            demands: Some("permission denied to create database".to_owned()),
            ..Expect::default()
        },
        // The bare server has none of the roles that owners and privileges name.
        Expect { ways: Some(vec![Way::Bare]), without_owners: true, ..Expect::default() },
    ]
}
