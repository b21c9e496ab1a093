//! What keeps objects from being replaced, and what is worth knowing of the others.

use std::collections::{BTreeMap, HashMap, HashSet};

use catalog::words;
use postgres::database::objects::{Object, ObjectId};

use crate::commands::restore::plan::replacement::fate::{self, Fate};
use crate::commands::restore::plan::replacement::{Replacement, View};

/// How many names a warning spells out.
const NAMED: usize = 5;
/// Kinds that only superusers make.
const FOR_SUPERUSERS: [&str; 8] = [
    "EVENT TRIGGER",
    "FOREIGN DATA WRAPPER",
    "ACCESS METHOD",
    "PROCEDURAL LANGUAGE",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
];

impl Replacement {
    pub(super) fn find_obstacles(&mut self, view: &View<'_>, superuser: bool) {
        self.hang_on_what_goes(view);
        self.belong_to_others(view);
        self.are_more_than_archived(view);
        if !superuser {
            self.need_a_superuser(view);
        }
    }

    /// What would go with an archived object, and the archive can't bring back.
    fn hang_on_what_goes(&mut self, view: &View<'_>) {
        let lost = view.objects.dependents.iter().filter(|d| view.goes(d.on()) && !view.goes(d.id()));
        let mut named = HashSet::new();
        for dependent in lost.filter(|dependent| named.insert(dependent.words.as_str())) {
            let why = match view.fates.get(&dependent.id()) {
                Some(_) => "which would have to stay",
                None => "which the backup doesn't have",
            };
            let on = view.by_id.get(&dependent.on()).map_or_else(String::new, |object| spelled(object));
            self.blocking.push(format!("{}, {why}, depends on {on}", dependent.words));
        }
        for object in view.objects.all.iter().filter(|object| view.fates.get(&object.id) == Some(&Fate::Dropped)) {
            if let Some(owner) = view.owner(object).filter(|owner| !view.goes(*owner)) {
                let table = view.by_id.get(&owner).map_or_else(String::new, |table| spelled(table));
                self.blocking.push(format!("{table}, which would stay, has made {} its own", spelled(object)));
            }
        }
    }

    fn belong_to_others(&mut self, view: &View<'_>) {
        let others = view.objects.all.iter().filter(|object| view.fates.get(&object.id) == Some(&Fate::Blocking));
        self.blocking.extend(others.map(|object| format!("{} belongs to {}", spelled(object), object.owner)));
        let archived: HashSet<u32> = self.removal.unlinked.iter().copied().collect();
        let others = view.objects.large_objects_of_others.iter().filter(|object| archived.contains(&object.oid));
        self.blocking.extend(others.map(|object| format!("large object {} belongs to {}", object.oid, object.owner)));
        let emptied: HashSet<u32> = self.removal.emptied.iter().copied().collect();
        let others = view.objects.configured.iter().filter(|table| emptied.contains(&table.oid) && !table.is_writable);
        self.blocking.extend(others.map(|table| {
            format!(
                "{}.{} of the extension {} may not be written by the role, and the backup has rows of it",
                table.schema, table.name, table.extension
            )
        }));
    }

    /// An entry of an operator doesn't say for which types it is.
    fn are_more_than_archived(&mut self, view: &View<'_>) {
        let mut counts: HashMap<(&str, &str, &str), (usize, usize)> = HashMap::new();
        for object in &view.objects.all {
            let entries = view.archived.entries(object).len();
            if entries > 0 && object.kind.starts_with("OPERATOR") {
                let count = counts.entry((&object.kind, &object.schema, &object.name)).or_insert((entries, 0));
                count.1 += 1;
            }
        }
        let sorted: BTreeMap<_, _> = counts.into_iter().filter(|(_, (archived, live))| live > archived).collect();
        self.blocking.extend(sorted.into_iter().map(|((kind, schema, name), _)| {
            format!("there are more {}s called {schema}.{name} than in the backup", kind.to_lowercase())
        }));
    }

    fn need_a_superuser(&mut self, view: &View<'_>) {
        let living: HashSet<i32> =
            view.objects.all.iter().flat_map(|o| view.archived.entries(o)).map(|entry| entry.dump_id).collect();
        let absent = view.head.contents.iter().filter(|entry| !living.contains(&entry.dump_id));
        let absent = absent.filter(|entry| FOR_SUPERUSERS.contains(&entry.kind.as_str()));
        self.blocking.extend(absent.map(|entry| {
            format!("{} {} is missing, and only a superuser can create it", entry.kind.to_lowercase(), entry.name)
        }));
    }

    pub(super) fn warn(&mut self, view: &View<'_>) {
        let all = || view.objects.all.iter();
        let standing = all().filter(|object| object.kind == "TABLE" && !view.archived.has(object));
        self.name("these tables are not in the backup and stay as they are", standing.map(spelled));
        let foreign = all().filter(|o| view.fates.get(&o.id) == Some(&Fate::Foreign) && o.kind != "SCHEMA");
        let words = |object: &Object| format!("{} {}", object.kind.to_lowercase(), spelled(object));
        self.name(
            "these stay as they are, because the role may not drop them or could not create them again",
            foreign.map(words),
        );
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for member in &view.objects.members {
            let publication = ObjectId { oid: member.publication_oid, class: fate::PUBLICATIONS };
            let table = ObjectId { oid: member.oid, class: fate::RELATIONS };
            if view.goes(table) && !view.goes(publication) {
                let words = format!("{}.{} in {}", member.schema, member.name, member.publication);
                if member.is_ours { ours.push(words) } else { others.push(words) }
            }
        }
        self.name(
            "publications name these tables again after the restore, and send all their rows to subscribers",
            ours.into_iter(),
        );
        self.name(
            "publications of other roles lose these tables; their owners put them back with ALTER PUBLICATION … ADD TABLE",
            others.into_iter(),
        );
    }

    fn name(&mut self, what: &str, names: impl Iterator<Item = String>) {
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            self.warnings.push(format!("{what}: {}", words::first_of(&names, NAMED, ", ")));
        }
    }
}

/// `schema.name`, as lists of tables have it.
fn spelled(object: &Object) -> String {
    if object.schema.is_empty() { object.name.clone() } else { format!("{}.{}", object.schema, object.name) }
}
