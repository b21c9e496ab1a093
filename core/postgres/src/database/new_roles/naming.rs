//! Names that a role can have.

/// Names that no role can have.
const RESERVED: [&str; 2] = ["public", "none"];
/// Roles of PostgreSQL's own begin so, and no other can.
pub(super) const PREDEFINED: &str = "pg_";

/// Whether somebody can make a role of this name.
#[must_use]
pub fn can_be_made(name: &str) -> bool {
    !name.starts_with(PREDEFINED) && !RESERVED.contains(&name) && !name.contains(char::REPLACEMENT_CHARACTER)
}
