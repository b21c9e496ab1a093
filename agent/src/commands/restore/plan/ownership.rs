//! Whether the restored objects get the owners and privileges that the archive names: decided object by object, and privilege
//! by privilege.

mod made;
mod privileges;
mod rights;

use std::collections::{BTreeMap, BTreeSet};

use ::archive::{Entry, Place};
use catalog::words;

use crate::commands::restore::edits::Edit;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::owners;
use crate::commands::restore::plan::ownership::privileges::Privileges;
use crate::commands::restore::plan::ownership::rights::{NAMED, OF_DATABASE, is_ours, lacking};
use crate::commands::restore::plan::way::Way;

/// What of the archive's owners and privileges is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// What takes them out of the archive's table of contents.
    pub(crate) edits: Vec<Edit>,
    /// How much, and why. One line each; empty: all are as in the archive.
    pub(crate) warnings: Vec<String>,
}

/// Why an object does not get its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    /// The server lacks the role.
    Missing(String),
    /// The restoring role may give nothing to it.
    Foreign(String),
    /// Only a superuser may own what is of this kind, and it isn't one.
    Powerless { owner: String, kind: &'static str },
    /// It may not create in the schema of the object, and PostgreSQL gives it nothing there then.
    Closed { owner: String, schema: String },
}

/// Something that has an owner.
struct Owned<'a> {
    kind: &'a str,
    owner: &'a str,
    schema: &'a str,
    name: String,
    place: Place,
}

/// Decides whose the objects will be, and what is granted. Neither needs the other: what belongs to the restoring role can be
/// granted by it.
pub(super) fn decide(facts: &Facts, way: &Way) -> Ownership {
    let owners = Owners { facts, way, schemas: schemas(facts) };
    let (mut edits, mut obstacles) = (Vec::new(), BTreeMap::<Obstacle, Vec<String>>::new());
    let mut total = 0_usize;
    for object in owned(facts) {
        total += 1;
        if let Some(obstacle) = owners.obstacle(&object) {
            edits.push(Edit { place: object.place, text: String::new() });
            obstacles.entry(obstacle).or_default().push(object.name);
        }
    }
    let privileges = Privileges::of(facts, way);
    let mut warnings: Vec<String> = owners_left_out(facts, &obstacles, total).into_iter().collect();
    warnings.extend(privileges.warning());
    warnings.extend(privileges.opening(way));
    edits.extend(privileges.edits);
    Ownership { edits, warnings }
}

/// All that has an owner, with the large objects that have entries of their own.
fn owned(facts: &Facts) -> impl Iterator<Item = Owned<'_>> {
    let objects = owners::owned(&facts.head).map(|entry| Owned {
        kind: &entry.kind,
        owner: &entry.owner,
        schema: &entry.schema,
        name: entry.name.clone(),
        place: entry.places.owner,
    });
    let single = facts.head.large_objects.iter().filter(|entry| !entry.about.is_empty());
    let single = single.filter_map(|entry| {
        let name = format!("large object {}", entry.oid?);
        Some(Owned { kind: "BLOB", owner: &entry.about, schema: "", name, place: entry.place })
    });
    objects.chain(single)
}

fn schemas(facts: &Facts) -> BTreeMap<&str, &Entry> {
    facts.head.entries("SCHEMA").map(|schema| (schema.name.as_str(), schema)).collect()
}

struct Owners<'a> {
    facts: &'a Facts,
    way: &'a Way,
    schemas: BTreeMap<&'a str, &'a Entry>,
}

impl Owners<'_> {
    fn obstacle(&self, object: &Owned<'_>) -> Option<Obstacle> {
        if let Some(obstacle) = self.of_role(object.owner) {
            return Some(obstacle);
        }
        if let Some(kind) = self.of_superusers(object.kind).filter(|_| !self.facts.superusers.contains(object.owner)) {
            return Some(Obstacle::Powerless { owner: object.owner.to_owned(), kind });
        }
        (!self.may_create(object))
            .then(|| Obstacle::Closed { owner: object.owner.to_owned(), schema: object.schema.to_owned() })
    }

    /// Why nothing at all is given to the role.
    fn of_role(&self, owner: &str) -> Option<Obstacle> {
        if !self.facts.roles.contains_key(owner) {
            return Some(Obstacle::Missing(owner.to_owned()));
        }
        (!is_ours(self.facts, owner)).then(|| Obstacle::Foreign(owner.to_owned()))
    }

    /// A kind, in words, that can't be given to anybody else; subscriptions can be since version 16. Whoever owns one may have been a
    /// superuser when that was made.
    fn of_superusers(&self, kind: &str) -> Option<&'static str> {
        match kind {
            "EVENT TRIGGER" => Some("event trigger"),
            "FOREIGN DATA WRAPPER" => Some("foreign-data wrapper"),
            "SUBSCRIPTION" if !self.facts.target.role.lets_others_subscribe() => Some("subscription"),
            _ => None,
        }
    }

    fn may_create(&self, object: &Owned<'_>) -> bool {
        let Facts { target, owners_rights: rights, database_owner, .. } = self.facts;
        let real = |role| if role == OF_DATABASE { database_owner.as_str() } else { role };
        let owner = real(object.owner);
        // What belongs to the restoring role is given to nobody.
        if target.role.superuser || object.schema.is_empty() || owner == target.role.name {
            return true;
        }
        let schema = self.schemas.get(object.schema).map(|schema| schema.owner.as_str());
        match schema.filter(|owner| !owner.is_empty()) {
            Some(of) if self.of_role(of).is_none() => rights.has_those_of(owner, real(of)),
            Some(_) => rights.has_those_of(owner, &target.role.name),
            None if object.schema != "public" => true,
            None if matches!(self.way, Way::InPlace { .. }) => rights.in_public.contains(owner),
            // A new `public` belongs to whoever owns the database.
            None => !target.role.closes_public() || rights.has_those_of(owner, database_owner),
        }
    }
}

fn owners_left_out(facts: &Facts, obstacles: &BTreeMap<Obstacle, Vec<String>>, total: usize) -> Option<String> {
    let role = &facts.target.role.name;
    let named = |choose: fn(&Obstacle) -> Option<&String>| -> Vec<String> {
        obstacles.keys().filter_map(choose).cloned().collect::<BTreeSet<_>>().into_iter().collect()
    };
    let missing = named(|obstacle| if let Obstacle::Missing(name) = obstacle { Some(name) } else { None });
    let foreign = named(|obstacle| if let Obstacle::Foreign(name) = obstacle { Some(name) } else { None });
    let mut why = Vec::new();
    if !missing.is_empty() {
        why.push(lacking(&missing));
    }
    if !foreign.is_empty() {
        why.push(format!("{role} may not give anything to {}", foreign.join(", ")));
    }
    let others = obstacles.iter().filter_map(|(obstacle, names)| match obstacle {
        Obstacle::Powerless { owner, kind } => {
            Some(format!("{owner} is no superuser, and may not own the {kind} {}", names.first()?))
        }
        Obstacle::Closed { owner, schema } => {
            Some(format!("{owner} may not create in the schema {schema}, where {} is", names.first()?))
        }
        _ => None,
    });
    why.extend(others);
    let names: Vec<&String> = obstacles.values().flatten().collect();
    let why = (!why.is_empty()).then(|| why.join("; "))?;
    if names.len() == total {
        return Some(format!("owners are left out, and all will belong to {role}: {why}"));
    }
    let shown = words::first_of(&names, NAMED, ", ");
    Some(format!("{} of {total} objects will belong to {role}: {why}: {shown}", names.len()))
}
