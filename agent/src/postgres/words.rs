//! SQL that an archive brings, taken apart.

pub(crate) mod origin;
pub(crate) mod roles;
pub(crate) mod tokens;
