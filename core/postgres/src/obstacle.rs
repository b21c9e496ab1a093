//! Why psql got no connection, found out by trying: is there such a host, does something listen, does it speak PostgreSQL, with
//! TLS, and which SQLSTATE does it answer with. What the server says in words may be in any language. Where nothing but its
//! words tells, they are compared with what it says to a password or a name that is surely wrong.

mod address;
mod find;
mod kind;
mod startup;

pub use kind::Obstacle;
