//! Lastgood from the outside: one module for each purpose.

mod harness;
mod identities;
mod repository;
mod stack;
mod template;
