//! What there is to know, and to change, of one database of a server.

pub(crate) mod content;
pub(crate) mod counts;
pub(crate) mod exchange;
pub(crate) mod live;
pub(crate) mod names;
pub(crate) mod properties;
pub(crate) mod statistics;
