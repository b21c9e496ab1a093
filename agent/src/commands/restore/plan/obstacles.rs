//! What a restore in place would run into, found before it starts: what stays, what depends on what is replaced, what belongs to
//! somebody else, what cannot be done in a transaction, and how many locks it takes.

use std::collections::HashSet;

use postgres::database::live::Role;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::head::Head;
use crate::commands::restore::relations::{Dependent, Relation, Relations};

/// How many names a warning spells out.
const NAMED: usize = 5;
/// Kinds of the archive that are relations.
const RELATIONS: [&str; 5] = ["TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE"];

/// What stands in the way, and what is only worth knowing.
#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    /// Each of them makes the restore fail.
    blocking: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl Obstacles {
    /// What stands in the way of replacing the live database's content with the archive's.
    pub(crate) fn of(facts: &Facts, relations: &Relations) -> Self {
        let head = &facts.head;
        let mut obstacles = Self::default();
        obstacles.left_standing(head, &relations.all);
        obstacles.depend(head, &relations.dependents);
        obstacles.belong_to_others(head, &relations.all);
        obstacles.outside_of_transactions(head);
        let large_objects = facts.backup.manifest.as_ref().map_or(0, |m| m.census.large_objects.count);
        obstacles.take_locks(head, &facts.target.role, large_objects);
        obstacles
    }

    /// Fails when something would make the restore fail. `because`: why it is in place although that was not asked for.
    ///
    /// # Errors
    /// Exit 1, naming the first obstacles.
    pub(crate) fn refuse(&self, because: Option<&str>) -> Result<(), Failure> {
        if self.blocking.is_empty() {
            return Ok(());
        }
        let shown = some_of(self.blocking.iter().map(String::as_str));
        let (why, hint) = match because {
            None => {
                (String::new(), "restore by swap, without --in-place: none of this is in its way; or remove it first")
            }
            // To swap is what could not be done.
            Some(because) => (
                format!(" (in place because {because})"),
                "restore as a role that owns the database and may create databases, or as a superuser (set DB_USER); or remove it first",
            ),
        };
        Err(Failure::new(Exit::Failed, format!("a restore in place would fail{why}: {shown}")).hint(hint))
    }

    fn left_standing(&mut self, head: &Head, relations: &[Relation]) {
        let archived = archived_relations(head);
        let standing: Vec<String> = relations
            .iter()
            .filter(|r| {
                ["r", "p"].contains(&r.kind.as_str()) && !archived.contains(&(r.schema.as_str(), r.name.as_str()))
            })
            .map(|r| format!("{}.{}", r.schema, r.name))
            .collect();
        if !standing.is_empty() {
            self.warnings.push(format!(
                "these tables are not in the backup and stay as they are: {}",
                some_of(standing.iter().map(String::as_str))
            ));
        }
    }

    fn depend(&mut self, head: &Head, dependents: &[Dependent]) {
        let relations = archived_relations(head);
        let types: HashSet<(&str, &str)> = ["TYPE", "DOMAIN"]
            .into_iter()
            .flat_map(|kind| head.entries(kind).map(|entry| (entry.schema.as_str(), entry.name.as_str())))
            .collect();
        for d in dependents {
            let (dependent, on) = ((d.schema.as_str(), d.name.as_str()), (d.on_schema.as_str(), d.on_name.as_str()));
            if (relations.contains(&on) || types.contains(&on)) && !relations.contains(&dependent) {
                self.blocking.push(format!(
                    "{}.{}, which the backup doesn't have, depends on {}.{}",
                    d.schema, d.name, d.on_schema, d.on_name
                ));
            }
        }
    }

    fn belong_to_others(&mut self, head: &Head, relations: &[Relation]) {
        let archived = archived_relations(head);
        let others =
            relations.iter().filter(|r| !r.is_ours && archived.contains(&(r.schema.as_str(), r.name.as_str())));
        self.blocking.extend(others.map(|r| format!("{}.{} belongs to {}", r.schema, r.name, r.owner)));
    }

    fn outside_of_transactions(&mut self, head: &Head) {
        let subscriptions = head.entries("SUBSCRIPTION");
        self.blocking.extend(
            subscriptions.map(|entry| format!("subscription {} cannot be dropped in a transaction", entry.name)),
        );
    }

    /// Every relation that is dropped or made is locked until the end, and every large object; a table has a TOAST table with
    /// its index beside it.
    fn take_locks(&mut self, head: &Head, role: &Role, large_objects: u64) {
        let of = |entry: &archive::Entry| match entry.kind.as_str() {
            "TABLE" | "MATERIALIZED VIEW" => 6,
            "INDEX" | "CONSTRAINT" | "SEQUENCE" | "VIEW" | "FOREIGN TABLE" => 2,
            "TABLE DATA" | "COMMENT" | "ACL" | "SEQUENCE SET" => 0,
            _ => 1,
        };
        let needed = head.contents.iter().map(of).sum::<u64>().saturating_add(large_objects.saturating_mul(2));
        if needed > role.locks {
            self.warnings.push(format!(
                "about {needed} locks are needed and the server has room for {}: if it runs out of them, nothing is lost; raise \
                 max_locks_per_transaction and restore again",
                role.locks
            ));
        }
    }
}

fn archived_relations(head: &Head) -> HashSet<(&str, &str)> {
    let relations = head.contents.iter().filter(|entry| RELATIONS.contains(&entry.kind.as_str()));
    relations.map(|entry| (entry.schema.as_str(), entry.name.as_str())).collect()
}

/// The first names, and how many more there are.
fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
