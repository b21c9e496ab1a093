//! Everything: what is stored, and how far everybody is.

use super::actors::Actor;
use super::store::Store;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) store: Store,
    pub(super) actors: Vec<Actor>,
}
