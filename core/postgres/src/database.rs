//! What there is to know, and to change, of one database of a server.

pub mod attempts;
pub mod checks;
pub mod content;
pub mod counts;
pub mod erasing;
pub mod exchange;
pub mod indexes;
pub mod known_names;
pub mod live;
pub mod loading;
pub mod locales;
pub mod names;
pub mod new_roles;
pub mod objects;
pub mod offers;
pub mod paths;
pub mod properties;
pub mod replacing;
pub mod rights;
pub mod roles;
pub mod scratch;
pub mod session;
pub mod set_aside;
pub mod statistics;
pub mod tallies;
pub mod undumpable;
