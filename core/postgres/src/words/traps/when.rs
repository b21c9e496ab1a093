//! When something is evaluated.

/// When something is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// In every restore.
    Always,
    /// In every restore, and as soon as it is defined: no function can be changed before.
    Defined,
    /// If this table has rows, or this materialized view was filled.
    Filled {
        /// Its schema.
        schema: String,
        /// Its name.
        name: String,
    },
}
