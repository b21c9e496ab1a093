//! Where relations and the database go: into the tablespaces that the archive names, those that `--tablespace-map` names instead,
//! or that of the database. Decided entry by entry, in the archive's table of contents.

use catalog::words;
use postgres::words::origin;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::edits::Edit;
use crate::commands::restore::facts::Facts;
use crate::commands::restore::wish::Wish;

/// How many names one line spells out.
const NAMED: usize = 5;

/// What is changed of them.
#[derive(Default)]
pub(super) struct Tablespaces {
    pub(super) edits: Vec<Edit>,
    pub(super) warnings: Vec<String>,
}

/// Decides.
///
/// # Errors
/// Exit 1 when the server lacks a tablespace that something is to be put into.
pub(super) fn decide(wish: &Wish, facts: &Facts) -> Result<Tablespaces, Failure> {
    refuse_unknown(wish, facts)?;
    let mut decided = Tablespaces::default();
    for entry in &facts.head.contents {
        let Some(tablespace) = &entry.tablespace else { continue };
        let new = place(wish, facts, &tablespace.name);
        if new.as_deref() != Some(tablespace.name.as_str()) {
            decided.edits.push(Edit { place: tablespace.place, text: new.unwrap_or_default() });
        }
    }
    let role = &facts.target.role.name;
    if let Some(name) = created_in(facts).filter(|name| is_lacking(wish, facts, name)) {
        decided.warnings.push(format!(
            "the database will be in the server's usual tablespace: {role} may not use {name}, or it is not there"
        ));
    }
    let lacking: Vec<&String> =
        facts.head.needs.tablespaces.iter().filter(|name| is_lacking(wish, facts, name)).collect();
    if let Some(first) = lacking.first() {
        let names = words::first_of(&lacking, NAMED, ", ");
        decided.warnings.push(format!(
            "tablespaces are left out, and what was in them goes to that of the database: {role} may not use {names}, or it is not \
             there; --tablespace-map {} puts it into another one",
            words::shell_word(&format!("{first}=NAME"))
        ));
    }
    let known = |name: &String| facts.head.needs.tablespaces.contains(name) || archived(facts).as_ref() == Some(name);
    let idle: Vec<&String> = wish.tablespaces.keys().filter(|name| !known(name)).collect();
    if !idle.is_empty() {
        let names = words::first_of(&idle, NAMED, ", ");
        decided.warnings.push(format!("nothing in the backup is in the tablespace {names} (--tablespace-map)"));
    }
    Ok(decided)
}

/// The tablespace of a database that is created as the archive says; `None`: the server's usual one.
pub(crate) fn of_database(wish: &Wish, facts: &Facts) -> Option<String> {
    place(wish, facts, &archived(facts)?)
}

/// Where what was in this one goes; `None`: into that of the database.
fn place(wish: &Wish, facts: &Facts, name: &str) -> Option<String> {
    match wish.tablespaces.get(name) {
        Some(new) => Some(new).filter(|new| !new.is_empty()).cloned(),
        None => facts.offers.tablespaces.iter().find(|offered| *offered == name).cloned(),
    }
}

fn is_lacking(wish: &Wish, facts: &Facts, name: &str) -> bool {
    !wish.tablespaces.contains_key(name) && !facts.offers.tablespaces.iter().any(|offered| offered == name)
}

fn archived(facts: &Facts) -> Option<String> {
    origin::tablespace(facts.head.definition("DATABASE")?)
}

/// The archived database's, where one is to be created.
fn created_in(facts: &Facts) -> Option<String> {
    archived(facts).filter(|_| facts.target.living.is_none())
}

fn refuse_unknown(wish: &Wish, facts: &Facts) -> Result<(), Failure> {
    let offered = &facts.offers.tablespaces;
    let unknown = wish.tablespaces.values().find(|name| !name.is_empty() && !offered.contains(name));
    let Some(name) = unknown else { return Ok(()) };
    let there = match offered.is_empty() {
        true => "there is none besides the usual one: --tablespace-map OLD= (with no name) puts it there".to_owned(),
        false => format!(
            "it may use {}; --tablespace-map OLD= (with no name) puts it where the database is",
            offered.join(", ")
        ),
    };
    let role = &facts.target.role.name;
    let error = format!("{role} may not use the tablespace {name} that --tablespace-map names, or it is not there");
    Err(Failure::new(Exit::Failed, error).hint(there))
}
