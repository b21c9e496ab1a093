//! Lastgood from the outside: one module for each purpose.

mod harness;
mod identities;
mod stack;
mod template;
