//! Names under which other programs keep the address of their database: frameworks, images, platforms.
//!
//! Each group is one program's, and is read as a whole. What a group says fills only what Lastgood's own settings and
//! libpq's leave open (`fill`): a file that an application has already needs no second copy of its address.

mod fill;
mod groups;
mod offer;

use std::sync::LazyLock;

use super::address::Origin;
use super::layers::Layers;
use groups::{GROUPS, PASSWORD, Part};

pub(super) use fill::{Findings, Known, fill};
pub(super) use groups::is_read;
pub(super) use offer::{Offer, Refused, ignored};

/// Names that hold a password, by themselves or in a URL: no child process inherits them.
pub(super) static SECRETS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let names = GROUPS.iter().copied().flatten();
    names.filter(|(_, part)| [Part::Url, PASSWORD].contains(part)).map(|(name, _)| *name).collect()
});

/// Whether its value holds a password.
pub(super) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

/// Every name but those of kinds.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().copied().flatten().filter(|(_, part)| *part != Part::Kind).map(|(name, _)| *name)
}

/// What each group says in these places, strongest first.
pub(super) fn offers(layers: &Layers) -> Vec<Offer> {
    GROUPS.iter().filter_map(|group| Offer::of(group, layers)).collect()
}

/// A value under one of the groups' names that could not be read.
pub(super) fn refused(name: &str, origin: Origin, complaint: String) -> Option<Refused> {
    let part = GROUPS.iter().copied().flatten().find(|(known, _)| *known == name).map(|(_, part)| *part)?;
    let variable = match part {
        Part::Kind => return None,
        Part::Url => None,
        Part::Variable(variable) => Some(variable),
    };
    Some(Refused { origin, variable, complaint, is_own: false })
}
