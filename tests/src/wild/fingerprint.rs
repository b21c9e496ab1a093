//! All that a database is, as text: what two equal ones have in common.

use std::collections::BTreeMap;

use super::nature;
use super::psql::{ask, client_of, feed};
use crate::postgres::{Installation, Postgres, USER};

/// Lines in the order of PostgreSQL's own dump.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fingerprint(Vec<String>);

/// What is looked at.
pub(super) struct Look<'a> {
    pub(super) server: &'a Postgres,
    /// Whose pg_dump.
    pub(super) programs: &'a Installation,
    pub(super) database: &'a str,
    /// Under which name it is compared.
    pub(super) as_name: &'a str,
    /// The case's own questions.
    pub(super) equal: &'a str,
    /// With owners and privileges.
    pub(super) owners: bool,
}

/// Owners and privileges of what a schema's dump doesn't have.
const OWNERS: &str =
    "SELECT 'owner of large object ' || oid, lomowner::regrole, lomacl FROM pg_largeobject_metadata ORDER BY oid;";

impl Fingerprint {
    /// Looks as a superuser.
    pub(super) fn of(look: &Look<'_>) -> Result<Fingerprint, String> {
        let mut pg_dump = client_of(look.programs, look.server, (USER, look.database), "pg_dump");
        pg_dump.args(["--create", "--schema-only"]);
        // A setting of the database that changes pg_dump's spelling is no difference of what it spells.
        pg_dump.env("PGOPTIONS", "-c quote_all_identifiers=off -c standard_conforming_strings=on");
        // Bytes in no character set are none in UTF-8 either.
        if ask(look.server, look.database, "SHOW server_encoding")? != "SQL_ASCII" {
            pg_dump.arg("--encoding=UTF8");
        }
        if !look.owners {
            pg_dump.args(["--no-owner", "--no-acl"]);
        }
        let mut text = feed(pg_dump, b"")?;
        let mut add = |title: &str, sql: &str| -> Result<(), String> {
            text.push_str(&format!("\n{title}\n{}", ask(look.server, look.database, sql)?));
            Ok(())
        };
        add("== content", include_str!("fingerprint.sql"))?;
        if look.owners {
            add("== owners of large objects", OWNERS)?;
        }
        add("== the case's questions", look.equal)?;
        let named = text.replace(look.database, look.as_name);
        Ok(Fingerprint(named.lines().filter(|line| nature::counts(line)).map(str::to_owned).collect()))
    }

    /// Without the lines that hold one of these texts.
    pub(super) fn without(self, texts: &[String]) -> Fingerprint {
        let keeps = |line: &String| !texts.iter().any(|text| line.contains(text));
        Fingerprint(self.0.into_iter().filter(keeps).collect())
    }

    /// What the source has and the restored lacks (`-`), and the other way round (`+`). Empty if they are equal. The order
    /// of lines is of no consequence: pg_dump orders by number what has no name.
    pub(super) fn differences(&self, restored: &Fingerprint) -> Vec<String> {
        let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
        self.0.iter().for_each(|line| *balance.entry(line).or_default() += 1);
        restored.0.iter().for_each(|line| *balance.entry(line).or_default() -= 1);
        let sign = |count: i64| if count > 0 { '-' } else { '+' };
        let differing = balance.iter().filter(|(_, count)| **count != 0);
        differing.map(|(line, count)| format!("{} {line}", sign(*count))).collect()
    }
}
