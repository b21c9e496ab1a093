//! How the content gets under the name: beside the live database and then swapped, or inside it.

use catalog::words;
use postgres::database::names;
use serde::Serialize;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::facts::Facts;
use crate::commands::restore::server::Target;
use crate::commands::restore::swappable::{goes_in_place, obstacle_to_swap};
use crate::commands::restore::wish::Wish;

/// The way, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A new database takes the name when it is whole.
    Swap {
        /// What it is called until then.
        new: String,
        /// What the database that has the name now is called afterwards; `None`: there is none.
        old: Option<String>,
        /// It was empty: it is dropped afterwards if it still is.
        drops_empty: bool,
        /// Why it has its name from the beginning, if it has.
        named_at_once: Option<String>,
    },
    /// One transaction inside the live database.
    InPlace {
        /// Why it is in place although that was not asked for.
        because: Option<String>,
        /// A backup of what is replaced is made first.
        safety_backup: bool,
    },
    /// Rows alone, into tables that are there, in one transaction.
    Rows,
}

/// The way as `--json` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    Swap,
    InPlace,
    DataOnly,
}

impl Way {
    /// Its name in JSON.
    pub(crate) fn mode(&self) -> Mode {
        match self {
            Self::Swap { .. } => Mode::Swap,
            Self::InPlace { .. } => Mode::InPlace,
            Self::Rows => Mode::DataOnly,
        }
    }
}

/// Decides between the two ways.
///
/// # Errors
/// Exit 5 when there is no database to restore in place; exit 1 when neither way is possible.
pub(super) fn decide(wish: &Wish, facts: &Facts) -> Result<Way, Failure> {
    let target = &facts.target;
    if target.living.is_none() {
        refuse_to_create(wish, target)?;
    }
    refuse_another_name(wish, facts)?;
    if goes_in_place(wish, target, facts.space, &facts.bound) {
        let because = obstacle_to_swap(target, facts.space, &facts.bound).filter(|_| !wish.in_place);
        return Ok(Way::InPlace { because, safety_backup: !wish.skip_backup });
    }
    if let (None, Some(first)) = (&target.living, facts.bound.first())
        && target.name == facts.head.header.database
    {
        let because = format!("only there can be {first}");
        return Ok(Way::Swap { new: target.name.clone(), old: None, drops_empty: false, named_at_once: Some(because) });
    }
    let old = target.living.as_ref().map(|_| names::before(&target.name, facts.moment));
    Ok(Way::Swap {
        new: names::restoring(&target.name, facts.moment),
        old,
        drops_empty: wish.into,
        named_at_once: None,
    })
}

/// What holds in a database of one name alone is not restored under another one.
fn refuse_another_name(wish: &Wish, facts: &Facts) -> Result<(), Failure> {
    let (name, made_of) = (&facts.target.name, &facts.head.header.database);
    if facts.bound.is_empty() || name == made_of || wish.force {
        return Ok(());
    }
    let what = words::first_of(&facts.bound, 1, ", ");
    let error = format!("the restore would fail: only a database named {made_of} can have {what}");
    Err(Failure::new(Exit::Failed, error).hint(format!(
        "restore it under its own name: --database {made_of}, without --into; --force tries it under the name {name}"
    )))
}

/// A database that does not exist is created.
fn refuse_to_create(wish: &Wish, target: &Target) -> Result<(), Failure> {
    let (name, role) = (&target.name, &target.role);
    if wish.in_place {
        let error = format!("there is no database {name} to restore in place");
        return Err(Failure::new(Exit::NotFound, error).hint("without --in-place it is created"));
    }
    if role.creates_databases {
        return Ok(());
    }
    let error = format!("there is no database {name}, and the role {} may not create one", role.name);
    Err(Failure::new(Exit::Failed, error).hint(format!("as a superuser: createdb --owner={} {name}", role.name)))
}
