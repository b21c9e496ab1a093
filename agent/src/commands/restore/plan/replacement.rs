//! What of a live database goes for a restore in place, what stays, and what keeps it from going: decided by the archive's
//! contents and the catalogs.
//!
//! Everything that the archive brings is dropped first, in one go with whatever hangs on it. So all that hangs on it has to be
//! in the archive too, or to be a part of it, as an index is of its table. What is there already and can stay, such as an extension,
//! is left alone, and so is its entry in the archive.

mod archived;
mod fate;
mod locks;
mod obstacles;

use std::collections::{BTreeSet, HashMap, HashSet};

use postgres::database::live::Role;
use postgres::database::objects::{Object, ObjectId, Objects};
use postgres::database::replacing::{Defaults, Removal};

use crate::commands::restore::head::Head;
use crate::commands::restore::plan::replacement::archived::Archived;
use crate::commands::restore::plan::replacement::fate::Fate;

/// What a restore in place does to what is there.
#[derive(Debug, Default)]
pub(crate) struct Replacement {
    /// What goes before the archive's content comes, and what is put back after it.
    pub(crate) removal: Removal,
    /// The archive's entries that are left out, because what they would make stays.
    pub(crate) left_out: BTreeSet<i32>,
    /// Each of them makes the restore fail, or would lose what the archive can't bring back.
    pub(crate) blocking: Vec<String>,
    /// How many locks it takes at least.
    pub(crate) locks: u64,
    /// What stays, and what is worth knowing.
    pub(crate) warnings: Vec<String>,
}

/// What is known when objects are looked at one by one.
struct View<'a> {
    head: &'a Head,
    objects: &'a Objects,
    archived: Archived<'a>,
    by_id: HashMap<ObjectId, &'a Object>,
    /// What happens to the objects that the archive has.
    fates: HashMap<ObjectId, Fate>,
    /// They go, with their table, though the archive doesn't have them: sequences of newer columns.
    implied: HashSet<ObjectId>,
}

impl Replacement {
    /// Decides. `role`: who restores.
    pub(crate) fn of(head: &Head, objects: &Objects, role: &Role) -> Self {
        let view = View::of(head, objects);
        let mut replacement = Self::default();
        replacement.choose_removal(&view);
        replacement.removal.defaults = Some(view.defaults(&role.name));
        replacement.leave_out(&view);
        replacement.find_obstacles(&view, role.superuser);
        replacement.locks = view.locks();
        replacement.warn(&view);
        replacement
    }

    fn choose_removal(&mut self, view: &View<'_>) {
        let goes = view.objects.all.iter().filter(|object| view.fates.get(&object.id) == Some(&Fate::Dropped));
        // A table takes its sequences along, and one of an identity column doesn't go by itself.
        self.removal.dropped =
            goes.filter(|object| !view.owner(object).is_some_and(|owner| view.goes(owner))).map(|o| o.id).collect();
        self.removal.unlinked = archived::large_objects(view.head);
        for member in &view.objects.members {
            let publication = ObjectId { oid: member.publication_oid, class: fate::PUBLICATIONS };
            let table = ObjectId { oid: member.oid, class: fate::RELATIONS };
            if member.is_ours && view.goes(table) && !view.goes(publication) {
                self.removal.published.push((member.oid, member.publication_oid));
            }
        }
        // Rows that others refer to come first in an archive, and go last.
        let rows = view.head.entries("TABLE DATA").enumerate();
        let order: HashMap<(&str, &str), usize> =
            rows.map(|(at, entry)| ((entry.schema.as_str(), entry.name.as_str()), at)).collect();
        let configured = view.objects.configured.iter();
        let mut emptied: Vec<(usize, u32)> = configured
            .filter_map(|table| Some((*order.get(&(table.schema.as_str(), table.name.as_str()))?, table.oid)))
            .collect();
        emptied.sort_unstable_by(|one, other| other.cmp(one));
        self.removal.emptied = emptied.into_iter().map(|(_, oid)| oid).collect();
    }

    /// The entries of what stays, and what is said about it: only its owner may say that.
    fn leave_out(&mut self, view: &View<'_>) {
        let stays =
            view.objects.all.iter().filter(|o| matches!(view.fates.get(&o.id), Some(Fate::Kept | Fate::Foreign)));
        let mut about: HashSet<(&str, String)> = HashSet::new();
        let mut publications = HashSet::new();
        for object in stays {
            let makes = view.archived.entries(object).iter().filter(|entry| !fate::gives_public_away(object, entry));
            self.left_out.extend(makes.map(|entry| entry.dump_id));
            if object.kind == "EXTENSION" || view.fates.get(&object.id) == Some(&Fate::Foreign) {
                about.extend(archived::subjects(object).map(|subject| (object.schema.as_str(), subject)));
            }
            if object.kind == "PUBLICATION" {
                publications.insert(object.name.as_str());
            }
        }
        for entry in &view.head.contents {
            let is_left_out = match entry.kind.as_str() {
                "COMMENT" | "ACL" | "SECURITY LABEL" => {
                    let schema = if archived::lies_in_a_schema(&entry.name) { entry.schema.as_str() } else { "" };
                    about.contains(&(schema, archived::subject(&entry.name).to_owned()))
                }
                "PUBLICATION TABLE" | "PUBLICATION TABLES IN SCHEMA" => publications
                    .iter()
                    .any(|name| entry.name.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))),
                _ => false,
            };
            if is_left_out {
                self.left_out.insert(entry.dump_id);
            }
        }
    }
}

impl<'a> View<'a> {
    fn of(head: &'a Head, objects: &'a Objects) -> Self {
        let archived = Archived::of(head);
        let by_id = objects.all.iter().map(|object| (object.id, object)).collect();
        let mut view = Self { head, objects, archived, by_id, fates: HashMap::new(), implied: HashSet::new() };
        for object in objects.all.iter().filter(|object| view.archived.has(object)) {
            view.fates.insert(object.id, fate::alone(object));
        }
        let of_newer_columns = objects.all.iter().filter(|object| !view.archived.has(object));
        let of_newer_columns = of_newer_columns.filter(|object| view.owner(object).is_some_and(|id| view.goes(id)));
        view.implied = of_newer_columns.map(|object| object.id).collect();
        view.keep_schemas();
        view
    }

    /// A schema goes if all that is in it does.
    fn keep_schemas(&mut self) {
        let schemas = |id: ObjectId| id.class == fate::SCHEMAS;
        let holding: HashSet<ObjectId> = self
            .objects
            .dependents
            .iter()
            .filter(|dependent| schemas(dependent.on()) && !self.goes(dependent.id()))
            .map(postgres::database::objects::Dependent::on)
            .collect();
        for schema in holding {
            if let Some(fate) = self.fates.get_mut(&schema)
                && *fate == Fate::Dropped
            {
                *fate = Fate::Kept;
            }
        }
    }

    /// What of the role's default privileges the archive brings, and what goes with its schema.
    fn defaults(&self, role: &str) -> Defaults {
        let schemas = self.objects.all.iter().filter(|object| object.kind == "SCHEMA");
        let oids: HashMap<&str, u32> = schemas.map(|schema| (schema.name.as_str(), schema.id.oid)).collect();
        let own = self.head.entries("DEFAULT ACL").filter(|entry| entry.owner == role);
        let archived = own.filter_map(|entry| {
            let space = if entry.schema.is_empty() { 0 } else { *oids.get(entry.schema.as_str())? };
            Some((space, archived::default_privileges(&entry.name)?))
        });
        let goes = |oid: &u32| self.goes(ObjectId { class: fate::SCHEMAS, oid: *oid });
        Defaults { archived: archived.collect(), dropped: oids.values().copied().filter(goes).collect() }
    }

    fn goes(&self, id: ObjectId) -> bool {
        self.fates.get(&id) == Some(&Fate::Dropped) || self.implied.contains(&id)
    }

    /// The table whose column a sequence belongs to.
    fn owner(&self, object: &Object) -> Option<ObjectId> {
        object.owned_by.map(|oid| ObjectId { class: fate::RELATIONS, oid })
    }
}
