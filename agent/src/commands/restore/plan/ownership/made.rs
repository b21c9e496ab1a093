//! On what the restoring role can give privileges: on what the archive makes, which is its own or its owner's, and hardly on what is there
//! without it, the server's own and what extensions bring. PostgreSQL takes a REVOKE there with no more than a notice that nothing
//! was revoked, and refuses a GRANT.

use std::collections::BTreeSet;

use ::archive::Entry;
use postgres::words::granted::Granted;

use crate::commands::restore::facts::Facts;
use crate::commands::restore::plan::ownership::rights::{OF_DATABASE, is_ours};
use crate::commands::restore::plan::way::Way;

/// The server's own schemas.
const OF_SERVER: [&str; 2] = ["pg_catalog", "information_schema"];

/// What the archive makes, by kind, schema and name.
pub(super) struct Made<'a> {
    facts: &'a Facts,
    in_place: bool,
    objects: BTreeSet<(&'a str, &'a str, &'a str)>,
}

impl<'a> Made<'a> {
    pub(super) fn of(facts: &'a Facts, way: &Way) -> Self {
        let objects = facts.head.contents.iter().filter_map(|entry| {
            let (kind, name) = (kind(&entry.kind)?, entry.name.as_str());
            let lies_in_none = ["SCHEMA", "LANGUAGE"].contains(&kind) || kind.starts_with("FOREIGN");
            let schema = if lies_in_none { "" } else { entry.schema.as_str() };
            Some((kind, schema, if kind == "FUNCTION" { without_arguments(name) } else { name }))
        });
        Self { facts, in_place: matches!(way, Way::InPlace { .. }), objects: objects.collect() }
    }

    /// Whether the statement is about something that an extension may have brought which is left out.
    pub(super) fn is_lost(&self, entry: &Entry, statement: &str) -> bool {
        let Some(object) = Granted::by(statement).filter(|_| self.facts.head.is_cut) else { return false };
        let (kind, name) = (object.kind.as_str(), object.name.as_str());
        let is_elsewhere =
            ["LARGE OBJECT", "DATABASE", "LANGUAGE"].contains(&kind) || (kind, name) == ("SCHEMA", "public");
        let is_of_server = OF_SERVER.contains(&entry.schema.as_str()) || kind == "SCHEMA" && OF_SERVER.contains(&name);
        !is_elsewhere && !is_of_server && !self.makes(kind, &entry.schema, name)
    }

    /// Whether the role can give and take privileges with this statement of the entry, as far as it depends on whose the object is.
    pub(super) fn is_ours(&self, entry: &Entry, statement: &str) -> bool {
        let Some(object) = Granted::by(statement) else { return true };
        if self.facts.target.role.superuser || self.facts.offers.has_system_rights {
            return true;
        }
        match (object.kind.as_str(), object.name.as_str()) {
            ("LARGE OBJECT" | "DATABASE", _) => true,
            ("SCHEMA", "public") => self.owns_public(),
            (kind, name) if self.makes(kind, &entry.schema, name) => true,
            ("LANGUAGE", name) => self.owns_language(name),
            ("SCHEMA", name) if OF_SERVER.contains(&name) => false,
            _ if OF_SERVER.contains(&entry.schema.as_str()) => false,
            _ => self.owns_members() || is_ours(self.facts, &entry.owner),
        }
    }

    fn makes(&self, kind: &str, schema: &str, name: &str) -> bool {
        let name = if kind == "FUNCTION" { without_arguments(name) } else { name };
        self.objects.contains(&(kind, schema, name)) || self.objects.contains(&(kind, "", name))
    }

    /// A new one belongs to the database's owner since version 15, and before that to the server.
    fn owns_public(&self) -> bool {
        match self.in_place {
            true => self.facts.present.owns_public,
            false => self.facts.target.role.closes_public() && is_ours(self.facts, OF_DATABASE),
        }
    }

    /// The extension of a trusted language gives that to whoever creates it. `plpgsql` is in every new database.
    fn owns_language(&self, name: &str) -> bool {
        match self.in_place {
            true => self.facts.present.languages.iter().any(|own| own == name),
            false => self.facts.head.entries("EXTENSION").any(|entry| entry.name == name),
        }
    }

    /// What an extension brings is the server's, where only its rights suffice for that, and else belongs to who creates it.
    fn owns_members(&self) -> bool {
        let Facts { head, offers, present, .. } = self.facts;
        let stays = |name: &String| self.in_place && present.extensions.contains(name);
        let created = head.entries("EXTENSION").map(|entry| &entry.name).filter(|name| !stays(name));
        created.into_iter().all(|name| !offers.privileged_extensions.contains(name))
            && (!self.in_place || present.owns_members)
    }
}

/// The kind of what an entry makes, as [`Granted`] has it.
fn kind(of_entry: &str) -> Option<&'static str> {
    Some(match of_entry {
        "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" | "FOREIGN TABLE" => "TABLE",
        "FUNCTION" | "PROCEDURE" | "AGGREGATE" => "FUNCTION",
        "TYPE" | "DOMAIN" | "SHELL TYPE" => "TYPE",
        "SCHEMA" => "SCHEMA",
        "PROCEDURAL LANGUAGE" => "LANGUAGE",
        "FOREIGN DATA WRAPPER" => "FOREIGN DATA WRAPPER",
        "SERVER" => "FOREIGN SERVER",
        _ => return None,
    })
}

fn without_arguments(name: &str) -> &str {
    name.split('(').next().unwrap_or(name)
}
