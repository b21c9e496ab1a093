//! Whether the live database can be swapped for a new one: a restore asks more of it where it cannot.

use catalog::words;

use crate::commands::restore::server::Target;
use crate::commands::restore::space::Space;
use crate::commands::restore::wish::Wish;

/// Whether the live database would be replaced in place: because that was asked for, or because nothing else is possible.
pub(crate) fn goes_in_place(wish: &Wish, target: &Target, space: Option<Space>, bound: &[String]) -> bool {
    target.living.is_some() && (wish.in_place || obstacle_to_swap(target, space, bound).is_some())
}

/// Why a second database cannot be made and swapped in.
pub(crate) fn obstacle_to_swap(target: &Target, space: Option<Space>, bound: &[String]) -> Option<String> {
    let (role, living) = (&target.role, target.living.as_ref()?);
    if target.only_here {
        return Some(format!("the role {} may connect to no other database, from which to rename it", role.name));
    }
    if !role.creates_databases {
        return Some(format!("the role {} may not create databases", role.name));
    }
    if !role.superuser && !living.is_ours {
        return Some(format!(
            "the role {} may not rename {}, which belongs to {}",
            role.name, living.name, living.owner
        ));
    }
    if !role.superuser && !living.may_give_to_owner {
        return Some(format!(
            "the role {} may not create a database that belongs to {}, as {} does",
            role.name, living.owner, living.name
        ));
    }
    if !living.has_room_for_another() {
        return Some(format!(
            "the role {} may not create a database in the tablespace {}, where {} is",
            role.name, living.tablespace, living.name
        ));
    }
    if let Some(first) = bound.first() {
        return Some(format!("a new database has another name until it is whole, and so cannot have {first}"));
    }
    let short = space.filter(|space| !space.is_enough())?;
    let (free, needed) = (words::size(short.free), words::size(short.needed));
    Some(format!("the disk has no room for a second copy ({free} free, {needed} needed)"))
}
