//! Everything: what is stored, and how far everybody is.

use crate::actors::Actor;
use crate::store::Store;

/// What is stored, and who acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// What is stored.
    pub store: Store,
    /// Who acts.
    pub actors: Vec<Actor>,
}
