//! What differs, or is refused, by PostgreSQL's nature: the only place that knows it, each line with its reason.

use super::case::{Expect, Expected, Role, Way};

/// What pg_dump sets for its own session: twice where a database has settings or properties, once where it has none.
const SESSION: [&str; 11] = [
    r"\connect ",
    "SELECT pg_catalog.set_config('search_path'",
    "SET check_function_bodies",
    "SET client_encoding",
    "SET client_min_messages",
    "SET idle_in_transaction_session_timeout",
    "SET lock_timeout",
    "SET row_security",
    "SET standard_conforming_strings",
    "SET statement_timeout",
    "SET xmloption",
];

/// Whether a line of a fingerprint counts. Comments of pg_dump don't: they repeat what the statements say, and hold the
/// versions of programs. Nor do the random words that fence its output since August 2025, nor its own session.
pub(super) fn counts(line: &str) -> bool {
    let random = line.starts_with(r"\restrict ") || line.starts_with(r"\unrestrict ");
    let session = line.starts_with("SET transaction_timeout") || SESSION.iter().any(|start| line.starts_with(start));
    !(line.is_empty() || line.starts_with("--") || random || session)
}

/// What is right for every case.
pub(super) fn expectations() -> Vec<Expect> {
    vec![
        // Only CREATEDB creates databases.
        Expect {
            ways: Some(vec![Way::Into, Way::Gone]),
            roles: Some(vec![Role::Owner]),
            result: Expected::Refused,
            says: vec!["createdb".to_owned()],
            demands: Some("permission denied to create database".to_owned()),
            ..Expect::default()
        },
        // The bare server has none of the roles that owners, privileges and settings of roles name.
        Expect {
            ways: Some(vec![Way::Bare]),
            without_owners: true,
            except: vec!["ALTER ROLE".to_owned()],
            ..Expect::default()
        },
    ]
}
