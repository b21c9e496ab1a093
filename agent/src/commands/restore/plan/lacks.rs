//! What the archive needs, and the server lacks or the role may not do: all of it named at once, before anything starts.

use std::collections::BTreeSet;

use catalog::words;
use postgres::database::locales::spell;
use postgres::database::new_roles::can_be_made;
use postgres::quote::identifier;
use postgres::words::needs::Locale;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::plan::relics::{self, Lack};
use crate::commands::restore::plan::way::Way;

/// How many names one line spells out.
const NAMED: usize = 5;
/// Kinds that only a superuser may create, and their names in words.
const OF_SUPERUSERS: [(&str, &str); 8] = [
    ("ACCESS METHOD", "access method"),
    ("EVENT TRIGGER", "event trigger"),
    ("FOREIGN DATA WRAPPER", "foreign-data wrapper"),
    ("OPERATOR CLASS", "operator class"),
    ("OPERATOR FAMILY", "operator family"),
    ("SUBSCRIPTION", "subscription"),
    ("TEXT SEARCH PARSER", "text search parser"),
    ("TEXT SEARCH TEMPLATE", "text search template"),
];
/// From version 16 on its members may create subscriptions.
const SUBSCRIBERS: &str = "pg_create_subscription";

/// Makes sure that the server has what the archive needs, and that the role may do what it takes.
///
/// # Errors
/// Exit 1, naming all that lacks.
pub(super) fn refuse(facts: &Facts, way: &Way) -> Result<(), Failure> {
    let all = [
        no_new_roles(facts),
        missing_roles(facts),
        unfit_locale(facts),
        unknown_locales(facts),
        missing_extensions(facts),
        missing_languages(facts),
        refused_extensions(facts, way),
        refused_dictionaries(facts),
        work_of_superusers(facts, way),
        closed_database(facts, way),
    ];
    let all = all.into_iter().chain(relics::lacks(facts));
    let lacks: Vec<Lack> = all.flatten().collect();
    if lacks.is_empty() {
        return Ok(());
    }
    let join = |parts: Vec<&str>| parts.join("; ");
    let error = format!("the restore would fail: {}", join(lacks.iter().map(|lack| lack.what.as_str()).collect()));
    Err(Failure::new(Exit::Failed, error).hint(join(lacks.iter().map(|lack| lack.remedy.as_str()).collect())))
}

/// Roles that were to be made, and can't be.
fn no_new_roles(facts: &Facts) -> Option<Lack> {
    let (what, remedy) = facts.births.obstacle.clone()?;
    Some(Lack { what, remedy })
}

fn missing_roles(facts: &Facts) -> Option<Lack> {
    let named = facts.head.roles_in_definitions.iter().filter(|name| !facts.roles.contains_key(*name));
    let missing: Vec<&str> = named.map(String::as_str).collect();
    let first = identifier(missing.first()?);
    let all = missing.join(", ");
    Some(Lack {
        what: format!("the backup's policies or user mappings name roles that this server lacks: {all}"),
        remedy: match missing.iter().any(|name| can_be_made(name)) && facts.births.obstacle.is_none() {
            true => format!("--create-roles creates them; or create them first, such as: CREATE ROLE {first}"),
            false => format!("create them first, such as: CREATE ROLE {first}"),
        },
    })
}

fn unknown_locales(facts: &Facts) -> Option<Lack> {
    let named = |locales: &[Locale]| -> Vec<String> {
        let named: BTreeSet<String> =
            locales.iter().map(|locale| format!("{} of {}", locale.name, provider(&locale.provider))).collect();
        named.into_iter().collect()
    };
    // One that can't be the database's anyway is named where that is told.
    let of_database = if facts.locale.unfit.is_some() { Vec::new() } else { named(&facts.locale.unknown) };
    let of_collations = named(&facts.unknown_collations);
    if of_database.is_empty() && of_collations.is_empty() {
        return None;
    }
    let all: Vec<String> = of_database.iter().chain(&of_collations).cloned().collect();
    let install = "install the locale on the server, and restart PostgreSQL (Debian: dpkg-reconfigure locales)";
    let remedy =
        if of_collations.is_empty() { format!("{}; or {install}", another_locale(facts)) } else { install.to_owned() };
    Some(Lack { what: format!("the server does not have the locale {}", words::first_of(&all, NAMED, ", ")), remedy })
}

/// What to type for one that the server has, and what it means.
fn another_locale(facts: &Facts) -> String {
    let there = &facts.locale.instead;
    let first = words::shell_word(there.first().map_or("C", String::as_str));
    let others: Vec<&String> = there.iter().skip(1).collect();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!(", or {}", words::first_of(&others, NAMED, ", ")),
    };
    format!("restore with --locale {first}{others}: the server has it, and texts are then sorted by it")
}

/// A locale that was chosen, and can't be the database's.
fn unfit_locale(facts: &Facts) -> Option<Lack> {
    let chosen = spell(facts.locale.chosen.as_ref()?);
    if let Some(why) = &facts.locale.unfit {
        return Some(Lack {
            what: format!("the database cannot have the locale {chosen}: {why}"),
            remedy: another_locale(facts),
        });
    }
    facts.target.living.as_ref().map(|living| Lack {
        what: format!("--locale {chosen} is for a database that is created, and {} exists", living.name),
        remedy: "--into NAME restores into a new one; without --locale it keeps its own".to_owned(),
    })
}

fn missing_extensions(facts: &Facts) -> Option<Lack> {
    let entries = facts.head.entries("EXTENSION").map(|entry| entry.name.clone());
    let missing: Vec<String> = entries.filter(|name| !facts.offers.extensions.contains(name)).collect();
    (!missing.is_empty()).then(|| Lack {
        what: format!("the server does not have the extension {}", missing.join(", ")),
        remedy: format!(
            "install the extension's package on the server, or leave it out where nothing needs it: {}",
            without(&missing)
        ),
    })
}

/// The options that leave them out.
fn without(extensions: &[String]) -> String {
    let options: Vec<String> =
        extensions.iter().map(|name| format!("--without-extension {}", words::shell_word(name))).collect();
    options.join(" ")
}

/// Its name in words.
fn provider(name: &str) -> &str {
    if name == "icu" { "ICU" } else { name }
}

/// Extensions of the server, each with its words. In place, one that is there already stays.
fn to_be_created(facts: &Facts, way: &Way, tried: &[(String, String)]) -> Vec<String> {
    let stays = |name: &String| matches!(way, Way::InPlace { .. }) && facts.present.extensions.contains(name);
    let offered = |name: &String| facts.offers.extensions.contains(name);
    let created = tried.iter().filter(|(name, _)| offered(name) && !stays(name));
    created.map(|(name, words)| format!("{name}: {words}")).collect()
}

/// What the archive needs, and nobody could find out whether the server lacks it.
pub(super) fn unknown(facts: &Facts, way: &Way) -> Option<String> {
    let untried = to_be_created(facts, way, &facts.untried_extensions);
    let named = words::first_of(&untried, NAMED, ", ");
    (!untried.is_empty()).then(|| format!("whether the server creates these extensions could not be tried: {named}"))
}

fn refused_extensions(facts: &Facts, way: &Way) -> Option<Lack> {
    let refused = to_be_created(facts, way, &facts.refused_extensions);
    (!refused.is_empty()).then(|| Lack {
        what: format!("the server refuses to create the extension {}", words::first_of(&refused, NAMED, ", ")),
        remedy: "set the extension up on the server as its documentation says, so that CREATE EXTENSION works"
            .to_owned(),
    })
}

fn refused_dictionaries(facts: &Facts) -> Option<Lack> {
    let refused: Vec<String> =
        facts.refused_dictionaries.iter().map(|(name, words)| format!("{name}: {words}")).collect();
    (!refused.is_empty()).then(|| Lack {
        what: format!(
            "the server refuses to create the text search dictionary {}",
            words::first_of(&refused, NAMED, ", ")
        ),
        remedy: "copy the dictionary's files into the server's tsearch_data folder".to_owned(),
    })
}

/// Extensions bring all others.
fn missing_languages(facts: &Facts) -> Option<Lack> {
    let offers = &facts.offers;
    let entries = facts.head.entries("PROCEDURAL LANGUAGE").map(|entry| entry.name.clone());
    let missing: Vec<String> =
        entries.filter(|name| !offers.languages.contains(name) && !offers.extensions.contains(name)).collect();
    (!missing.is_empty()).then(|| Lack {
        what: format!("the server does not have the language {}", missing.join(", ")),
        remedy: "install the language's package on the server".to_owned(),
    })
}

fn work_of_superusers(facts: &Facts, way: &Way) -> Option<Lack> {
    if facts.target.role.superuser {
        return None;
    }
    let Facts { head, offers, present, .. } = facts;
    let mut found: Vec<String> = Vec::new();
    // What the live database has already can stay there.
    let stays = |name: &String| matches!(way, Way::InPlace { .. }) && present.extensions.contains(name);
    let extensions = head.entries("EXTENSION").map(|entry| &entry.name);
    let untrusted = extensions.filter(|name| offers.untrusted_extensions.contains(name) && !stays(name));
    found.extend(untrusted.map(|name| format!("extension {name}")));
    let may_subscribe = facts.roles.get(SUBSCRIBERS) == Some(&true);
    for (kind, in_words) in OF_SUPERUSERS.into_iter().filter(|(kind, _)| *kind != "SUBSCRIPTION" || !may_subscribe) {
        found.extend(head.entries(kind).map(|entry| format!("{in_words} {}", entry.name)));
    }
    found.extend(head.needs.wide_publications.iter().map(|name| format!("publication {name} (of all tables)")));
    let untrusted = |language: &String| offers.untrusted_languages.contains(language);
    let functions = head.needs.functions.iter().filter(|(_, language)| untrusted(language));
    found.extend(functions.map(|(name, language)| format!("function {name} in the language {language}")));
    let privileged = head.needs.privileged_functions.iter();
    found.extend(privileged.map(|(name, attribute)| format!("function {name} with {attribute}")));
    let refused = |setting: &String| facts.refused_in_functions.contains(setting);
    let settings = head.needs.settings_of_functions.iter().filter(|(_, setting)| refused(setting));
    found.extend(settings.map(|(name, setting)| format!("function {name} with SET {setting}")));
    (!found.is_empty()).then(|| Lack {
        what: format!("only a superuser may create what is in the backup: {}", words::first_of(&found, NAMED, ", ")),
        remedy: "restore as a superuser: set DB_USER and DB_PASSWORD to one".to_owned(),
    })
}

/// In place, schemas and publications are created in a database that may belong to another role.
fn closed_database(facts: &Facts, way: &Way) -> Option<Lack> {
    let (head, target) = (&facts.head, &facts.target);
    if !matches!(way, Way::InPlace { .. }) || facts.present.may_create {
        return None;
    }
    let schemas = head.entries("SCHEMA").filter(|entry| entry.name != "public").map(|entry| ("schema", entry));
    let publications = head.entries("PUBLICATION").map(|entry| ("publication", entry));
    let extensions = head.entries("EXTENSION").map(|entry| ("extension", entry));
    let extensions = extensions.filter(|(_, entry)| !facts.present.extensions.contains(&entry.name));
    let (kind, entry) = schemas.chain(publications).chain(extensions).next()?;
    let role = &target.role.name;
    Some(Lack {
        what: format!("the role {role} may not create the {kind} {} in database {}", entry.name, target.name),
        remedy: format!(
            "as the database's owner: GRANT CREATE ON DATABASE {} TO {}",
            identifier(&target.name),
            identifier(role)
        ),
    })
}
