//! What a restore will do, decided before anything is touched. A decision asks nobody: wish and facts go in, a plan or a
//! refusal comes out, and `--dry-run` shows the same plan that is carried out.

pub(crate) mod filling;
mod lacks;
mod obstacles;
pub(crate) mod ownership;
mod partial;
mod relics;
pub(crate) mod replacement;
mod rows;
mod search_path;
pub(crate) mod shown;
mod subject;
pub(crate) mod tablespaces;
pub(crate) mod way;

use catalog::words;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::backup::Assurance;
use crate::commands::restore::edits::{Edit, Edits};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::head::Head;
use crate::commands::restore::plan::filling::Filling;
use crate::commands::restore::plan::obstacles::Obstacles;
use crate::commands::restore::plan::ownership::Ownership;
use crate::commands::restore::plan::subject::Subject;
use crate::commands::restore::plan::way::Way;
use crate::commands::restore::swappable::obstacle_to_swap;
use crate::commands::restore::tables::Chosen;
use crate::commands::restore::wish::Wish;

/// How many names a warning spells out.
const NAMED: usize = 5;

/// The whole plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) way: Way,
    pub(crate) filling: Filling,
    /// What is changed in the archive's table of contents.
    pub(crate) edits: Edits,
    /// Owners and privileges are all as in the archive.
    pub(crate) owners_kept: bool,
    /// The tables whose rows are restored.
    pub(crate) chosen: Chosen,
    /// The roles that are made first.
    pub(crate) new_roles: Vec<String>,
    /// What will be lost, will stay or will differ. One line each.
    pub(crate) warnings: Vec<String>,
    subject: Subject,
}

/// Decides.
///
/// # Errors
/// What stands in the way, each with what to do about it: exit 5 when something that was named is not there, else exit 1.
pub(crate) fn decide(wish: &Wish, facts: &Facts) -> Result<Plan, Failure> {
    refuse_wrong_target(wish, facts)?;
    let chosen = Chosen::of(&facts.head, wish)?;
    if wish.data_only {
        return rows_alone(wish, facts, chosen);
    }
    let way = way::decide(wish, facts)?;
    partial::refuse(&facts.head, &way, wish.schema_only)?;
    let filling = filling::decide(wish, facts, &way);
    if filling == Filling::Script && wish.keep_going {
        return Err(cannot_go_on(facts, &way));
    }
    if filling == Filling::Script && !wish.trust_archive {
        refuse_unrestricted(&facts.head)?;
    }
    lacks::refuse(facts, &way)?;
    search_path::refuse(wish, facts, &chosen)?;
    let ownership = ownership::decide(facts, &way);
    let mut warnings = warnings(wish, facts, &way, (&filling, &ownership));
    let tablespaces = tablespaces::decide(wish, facts)?;
    warnings.extend(tablespaces.warnings);
    warnings.extend(facts.locale.warning(&facts.head));
    warnings.extend(facts.locale.risk(&facts.head));
    if let (Way::InPlace { .. }, Some(objects)) = (&way, &facts.objects) {
        let obstacles = Obstacles::of(facts, objects);
        let no_swap = obstacle_to_swap(&facts.target, facts.space, &facts.bound);
        obstacles.refuse(wish.in_place, no_swap.as_deref())?;
        obstacles::refuse_without_safety(&facts.undumpable, no_swap.is_none())?;
        warnings.extend(obstacles.warnings);
    }
    warnings.extend(partial::without_large_objects(&facts.head, &chosen));
    let owners_kept = ownership.warnings.is_empty();
    let edits = ownership.edits.into_iter().chain(tablespaces.edits).chain(public(facts, &way)).collect();
    let edits = Edits::new(edits, facts.head.header.int_size);
    let subject = Subject::of(wish, facts, &chosen);
    let new_roles = facts.births.names();
    Ok(Plan { new_roles, way, filling, edits, owners_kept, chosen, warnings, subject })
}

/// Rows alone change no definition, and so need nothing of the server.
fn rows_alone(wish: &Wish, facts: &Facts, chosen: Chosen) -> Result<Plan, Failure> {
    let target = &facts.target;
    if target.living.is_none() {
        let error = format!("there is no database {} to restore rows into", target.name);
        return Err(Failure::new(Exit::NotFound, error).hint("without --data-only it is created"));
    }
    if !wish.trust_archive {
        refuse_unrestricted(&facts.head)?;
    }
    let mut warnings = facts.backup.notes.clone();
    warnings.extend(assurance(facts.backup.assurance));
    warnings.extend(rows::decide(chosen.tables(), &facts.loading, &target.role.name)?);
    warnings.extend(partial::without_large_objects(&facts.head, &chosen));
    Ok(Plan {
        new_roles: Vec::new(),
        way: Way::Rows,
        filling: Filling::Script,
        edits: Edits::default(),
        owners_kept: true,
        warnings,
        subject: Subject::of(wish, facts, &chosen),
        chosen,
    })
}

fn assurance(assurance: Assurance) -> Option<String> {
    Some(match assurance {
        Assurance::Good => return None,
        Assurance::Unverified => "this backup has not been verified yet: it is checked while it is restored".to_owned(),
        Assurance::Guest => "this backup has no manifest to compare with: only its own form can be checked".to_owned(),
    })
}

/// A new database has the schema `public` already, with privileges that an archive which makes it takes for granted.
fn public(facts: &Facts, way: &Way) -> Option<Edit> {
    let entry = facts.head.makes_public().filter(|_| matches!(way, Way::Swap { .. }))?;
    Some(Edit { place: entry.places.definition, text: "CREATE SCHEMA IF NOT EXISTS public;\n".to_owned() })
}

/// What would restore the wrong thing, or to the wrong place.
fn refuse_wrong_target(wish: &Wish, facts: &Facts) -> Result<(), Failure> {
    let (target, made_of) = (&facts.target, &facts.head.header.database);
    if !wish.into && !wish.force && !made_of.is_empty() && *made_of != target.name {
        let error = format!("this is a backup of {made_of}, and it would replace {}", target.name);
        return Err(Failure::new(Exit::Failed, error).hint(format!(
            "--into NAME restores it beside; --database {made_of} restores it where it was; --force replaces {} with it",
            target.name
        )));
    }
    let Some(living) = &target.living else { return Ok(()) };
    if wish.into && !target.content.is_empty() {
        let error = format!("database {} exists and isn't empty", target.name);
        return Err(Failure::new(Exit::Failed, error)
            .hint("--into takes a new name or an empty database; without --into the live database is replaced"));
    }
    if let Some(first) = living.prepared_transactions.first() {
        let error = format!("a prepared transaction ({first}) holds database {}", target.name);
        return Err(Failure::new(Exit::Failed, error)
            .hint("end it first, in that database: COMMIT PREPARED or ROLLBACK PREPARED"));
    }
    Ok(())
}

/// Where psql runs pg_restore's script, anything that the archive holds reaches it.
fn refuse_unrestricted(head: &Head) -> Result<(), Failure> {
    if head.restricts_psql {
        return Ok(());
    }
    let error = format!(
        "pg_restore {} does not keep a hostile archive from running commands on this machine (CVE-2025-8714)",
        head.pg_restore.version
    );
    Err(Failure::new(Exit::Failed, error).hint(
        "update PostgreSQL's client programs (13.22, 14.19, 15.14, 16.10, 17.6 or newer; PG_BIN_DIR names their folder), \
         restore by swap, without --in-place, or give --trust-archive when you know who made it",
    ))
}

/// A script in one session stops at the first statement that fails.
fn cannot_go_on(facts: &Facts, way: &Way) -> Failure {
    let (tool, role) = (&facts.head.pg_restore, &facts.target.role);
    let why = match way {
        Way::InPlace { .. } | Way::Rows => "this restore is in place".to_owned(),
        Way::Swap { .. } if filling::is_newer_than_server(&facts.head, role) => {
            format!("pg_restore {} is newer than the server", tool.version)
        }
        Way::Swap { .. } => format!("{} may not set what the database had set", role.name),
    };
    Failure::new(Exit::Failed, format!("--keep-going works by swap, with pg_restore itself, and {why}")).hint(
        "pg_restore by hand goes on behind what fails: lastgood show has the lines; leave out --exit-on-error in them",
    )
}

fn warnings(wish: &Wish, facts: &Facts, way: &Way, (filling, ownership): (&Filling, &Ownership)) -> Vec<String> {
    let mut warnings = facts.backup.notes.clone();
    warnings.extend(assurance(facts.backup.assurance));
    warnings.extend(facts.births.warnings.iter().cloned());
    if facts.head.header.database.is_empty() && !wish.into {
        warnings.push(format!(
            "the dump does not say of which database it is: make sure that it is of {}",
            facts.target.name
        ));
    }
    warnings.extend(ownership.warnings.iter().cloned());
    warnings.extend(lacks::unknown(facts, way));
    warnings.extend(partial::warned(facts));
    warnings.extend(unfilled(facts, way));
    warnings.extend(unknown_tables(facts, way));
    warnings.extend(search_path::warned(wish));
    warnings.extend(left_out(wish));
    match (way, &facts.target.living) {
        (Way::InPlace { .. }, _) if wish.skip_backup => {
            warnings.push("no safety backup is made (--skip-backup): there will be no way back".to_owned());
        }
        (Way::Swap { .. }, Some(living)) => {
            warnings.extend(stays_behind("replication slot", &living.slots));
            warnings.extend(stays_behind("subscription", &facts.target.content.subscriptions));
        }
        (Way::Swap { .. }, None) => warnings.extend(owner_of_database(facts)),
        _ => {}
    }
    if let (Some(asked), Filling::SideBySide { .. } | Filling::Stream) = (wish.jobs, filling)
        && asked > filling.jobs()
        && !wish.is_partial()
    {
        let (role, jobs) = (&facts.target.role, words::count(filling.jobs() as u64, "job"));
        let sessions = words::count(u64::try_from(role.sessions).unwrap_or_default(), "more connection");
        warnings.push(format!("{jobs} instead of {asked}: the server lets {} have {sessions}", role.name));
    }
    if !facts.refused_settings.is_empty() && (matches!(way, Way::Swap { .. }) || !facts.target.keeps_properties()) {
        let (role, names) = (&facts.target.role.name, words::first_of(&facts.refused_settings, NAMED, ", "));
        warnings.push(format!("settings of the database are left out, which {role} may not set: {names}"));
    }
    warnings
}

/// What was asked to be left out, or may be.
fn left_out(wish: &Wish) -> impl Iterator<Item = String> {
    let extensions = &wish.without_extensions;
    let without = (!extensions.is_empty())
        .then(|| format!("the extension {} is left out (--without-extension)", extensions.join(", ")));
    let keep_going = "keys, CHECKs, indexes and views that the rows do not let be made are left out, and named at the end (--keep-going)";
    without.into_iter().chain(wish.keep_going.then(|| keep_going.to_owned()))
}

/// A database that is made again should belong to whom it belonged.
fn owner_of_database(facts: &Facts) -> Option<String> {
    let (head, target) = (&facts.head, &facts.target);
    let owner = head.database_owner().filter(|owner| **owner != facts.database_owner)?;
    let why = match facts.roles.get(owner) {
        None => format!("this server lacks the role {owner}"),
        Some(_) => format!("{} may not give it to {owner}", target.role.name),
    };
    Some(format!("the database will belong to {}: {why}", facts.database_owner))
}

/// Rows that the backup lacks, such as those that `--exclude-table-data` left out of it.
fn unfilled(facts: &Facts, way: &Way) -> Option<String> {
    let tables = &facts.unfilled;
    let fate = match way {
        Way::Swap { .. } => "will be empty; the old database keeps them",
        Way::InPlace { safety_backup: true, .. } => "will be empty; the safety backup has them",
        Way::InPlace { safety_backup: false, .. } => "will be empty: they are lost",
        Way::Rows => return None,
    };
    let named = words::first_of(tables, NAMED, ", ");
    (!tables.is_empty())
        .then(|| format!("the backup has no rows of these tables, which have some now and {fate}: {named}"))
}

/// In place they stay, unless they stand in the way.
fn unknown_tables(facts: &Facts, way: &Way) -> Option<String> {
    let (Way::Swap { .. }, tables) = (way, &facts.unknown_tables) else { return None };
    let named = words::first_of(tables, NAMED, ", ");
    (!tables.is_empty())
        .then(|| format!("the backup lacks these tables, which have rows now and stay with the old database: {named}"))
}

fn stays_behind(what: &str, names: &[String]) -> Option<String> {
    let first = words::first_of(names, 1, ", ");
    (!names.is_empty())
        .then(|| format!("{what} {first} stays with the old database: set it up again after the restore"))
}

#[cfg(test)]
mod tests;
